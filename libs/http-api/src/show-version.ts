import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type Observable, tap } from 'rxjs';
import { etagOf } from './if-match.js';
import type { RouteDescription } from './openapi/types.js';
import type { RouteTable } from './route-table.js';

/**
 * On what an answer shows, beside its `version`: a number that changes with all that is no decision and so moves no
 * version, as the reports of a flight. It is never sent; an `ETag` has it behind a dot, so that a copy that a caller
 * holds is not taken for the present one.
 */
export const SINCE_VERSION = Symbol('changes since the version');

/**
 * The version of what an answer shows, as its `ETag`, on every route that is described so. Not on others: a list or an
 * error has no version, and a hash of its bytes would be refused as an `If-Match`.
 */
@Injectable()
export class ShowVersion implements NestInterceptor {
  constructor(private readonly table: RouteTable) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const { method, path } = context.switchToHttp().getRequest<Request>();
    if (!hasVersion(this.table.find(method, path))) return next.handle();
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      tap((body: unknown) => {
        const { version, [SINCE_VERSION]: since = 0 } = (body ?? {}) as Versioned;
        if (typeof version === 'number' && !response.headersSent) response.setHeader('ETag', etagOf(version, since));
      }),
    );
  }
}

interface Versioned {
  readonly version?: unknown;
  readonly [SINCE_VERSION]?: number;
}

const hasVersion = (route: RouteDescription | undefined): boolean =>
  Object.values(route?.answers ?? {}).some(({ headers = [] }) => headers.includes('ETag'));
