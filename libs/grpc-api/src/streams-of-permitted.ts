import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Metadata } from '@grpc/grpc-js';
import { Observable, exhaustMap, timer } from 'rxjs';
import { admissionOf } from './grpc-key.guard.js';

/**
 * Between two looks whether the caller of a stream may still make it. A good key is remembered for 30 s, so what a key may
 * do no longer ends within a minute.
 */
const LOOK_EVERY_MS = 10_000;

/** As gRPC hands a call to Nest: what is answered by a stream is written to it. */
interface Call {
  readonly write?: unknown;
}

/** Ends a stream whose caller may not make the call any more: its key was revoked or has ended, or its roles were taken. */
@Injectable()
export class StreamsOfPermitted implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const call = context.getArgByIndex<Call | undefined>(2);
    const admission = admissionOf(context.switchToRpc().getContext<Metadata>());
    if (typeof call?.write !== 'function' || admission === undefined) return next.handle();
    return new Observable((subscriber) => {
      const looks = timer(LOOK_EVERY_MS, LOOK_EVERY_MS).pipe(exhaustMap(() => admission.renew()));
      subscriber.add(looks.subscribe({ error: (error: unknown) => subscriber.error(error) }));
      subscriber.add(next.handle().subscribe(subscriber));
    });
  }
}
