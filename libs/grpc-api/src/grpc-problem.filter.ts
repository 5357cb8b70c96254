import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { Metadata, status } from '@grpc/grpc-js';
import { problemOf } from '@aerie/http-api';
import { HostLogger } from '@aerie/service-host';
import { type Observable, throwError } from 'rxjs';

/** gRPC's word for each HTTP status that a problem can have. */
const CODE_OF_STATUS: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  412: status.ABORTED,
  413: status.RESOURCE_EXHAUSTED,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** Answers every error with a status, and with the document that HTTP would have answered in the trailer `problem`. */
@Catch()
export class GrpcProblemFilter implements RpcExceptionFilter {
  constructor(private readonly host: HostLogger) {}

  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    const problem = problemOf(error);
    if (problem.status >= 500) {
      const log = problem.status === 500 ? 'error' : 'warn';
      this.host.logger[log]({ err: error }, 'a gRPC call failed');
    }
    const metadata = new Metadata();
    // Trailers are ASCII: a name in another script is escaped.
    metadata.set('problem', asciiJson(problem));
    const message = problem.detail ?? problem.title;
    return throwError(() => ({ code: CODE_OF_STATUS[problem.status] ?? status.INTERNAL, message, metadata }));
  }
}

const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
