import { TRACES_HEADER } from '@aerie/bus-contract';
import { TRACE_HEADER, type TraceContext, isTracing, readTrace, traceHeaderOf } from '@aerie/observability';
import { type MsgHdrs, headers } from '@nats-io/transport-node';

/** What a message carries of its span; nothing where it has none. */
export function traceHeaders(context: TraceContext | undefined): { readonly headers?: MsgHdrs } {
  if (context === undefined) return {};
  const told = headers();
  told.set(TRACE_HEADER, traceHeaderOf(context));
  return { headers: told };
}

/** The same for a question with many items, each with a span of its own or none. */
export function tracesHeaders(contexts: readonly (TraceContext | undefined)[]): { readonly headers?: MsgHdrs } {
  if (contexts.every((context) => context === undefined)) return {};
  const told = headers();
  told.set(TRACES_HEADER, contexts.map((context) => (context === undefined ? '' : traceHeaderOf(context))).join(','));
  return { headers: told };
}

/** Headers as they came, from whichever client. */
export interface ReceivedHeaders {
  get(name: string): string;
}

/** By the place of an item in its question. */
export function readTraces(received: ReceivedHeaders | undefined): readonly (TraceContext | undefined)[] {
  const header = isTracing() ? received?.get(TRACES_HEADER) : undefined;
  return header === undefined || header === '' ? [] : header.split(',').map(readTrace);
}

const spans = new WeakMap<object, TraceContext>();

/** Remembers whose message this is, for whoever handles it in a batch with others. */
export function noteTrace(message: unknown, context: TraceContext | undefined): void {
  if (context !== undefined && typeof message === 'object' && message !== null) spans.set(message, context);
}

/** The span that sent a message; undefined where it is not traced. */
export const traceOfMessage = (message: object): TraceContext | undefined => spans.get(message);
