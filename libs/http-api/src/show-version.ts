import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type Observable, tap } from 'rxjs';
import { etagOf } from './if-match.js';
import type { RouteDescription } from './openapi/types.js';
import type { RouteTable } from './route-table.js';

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
        const { version } = (body ?? {}) as { readonly version?: unknown };
        if (typeof version === 'number' && !response.headersSent) response.setHeader('ETag', etagOf(version));
      }),
    );
  }
}

const hasVersion = (route: RouteDescription | undefined): boolean =>
  Object.values(route?.answers ?? {}).some(({ headers = [] }) => headers.includes('ETag'));
