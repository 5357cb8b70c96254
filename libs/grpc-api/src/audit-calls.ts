import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, Optional } from '@nestjs/common';
import type { Metadata } from '@grpc/grpc-js';
import { AuditTrail, problemOf } from '@aerie/http-api';
import { type Observable, catchError, concat, defer, ignoreElements, mergeMap, throwError } from 'rxjs';
import { ANSWERED, admissionOf } from './grpc-key.guard.js';

/** Notes how a call ended, before its caller is told: with the status that HTTP would have answered. */
@Injectable()
export class AuditCalls implements NestInterceptor {
  constructor(@Optional() private readonly audit?: AuditTrail) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { audit } = this;
    const audited = admissionOf(context.switchToRpc().getContext<Metadata>())?.audited ?? null;
    if (audit === undefined || audited === null) return next.handle();
    const { entry, record } = audited;
    const end = async (status: number): Promise<void> => {
      if (record === null) await audit.end(entry, status);
      else if (!record.isKept) await audit.noteAll([{ entry, status }]);
    };
    return next.handle().pipe(
      catchError((error: unknown) =>
        concat(
          defer(() => end(problemOf(error).status)).pipe(ignoreElements()),
          throwError(() => error),
        ),
      ),
      mergeMap(async (answer: unknown) => {
        await end(ANSWERED);
        return answer;
      }),
    );
  }
}
