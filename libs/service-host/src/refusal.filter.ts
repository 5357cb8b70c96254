import { Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import { AppError } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type Observable, throwError } from 'rxjs';
import { HostLogger } from './run-service.js';

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly fields: AppError['fields'];
}

/** What an asker is told of an error, which is logged here. */
export function refusalOf(error: unknown, logger: Logger): Refusal {
  if (!(error instanceof AppError)) {
    logger.error({ err: error }, 'failed to answer a question');
    return { code: 'internal_error', message: 'internal error', fields: [] };
  }
  const { code, message, fields } = error;
  logger.warn({ code, fields }, 'refused a question');
  return { code, message, fields };
}

/** Tells the asker why there is no answer. Nest alone would make `Internal server error` of it. */
@Catch()
@Injectable()
export class RefusalFilter implements ExceptionFilter {
  constructor(private readonly host: HostLogger) {}

  catch(error: unknown): Observable<never> {
    const refusal = refusalOf(error, this.host.logger);
    return throwError(() => refusal);
  }
}
