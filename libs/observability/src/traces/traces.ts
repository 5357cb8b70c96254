import { AsyncLocalStorage } from 'node:async_hooks';
import type { TraceAttributes } from './trace-attributes.js';
import { type TraceContext, isSampled, randomId, readTraceHeader } from './trace-context.js';

/** How a span stands to those beside it, in the words of OpenTelemetry. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface NewSpan {
  readonly name: string;
  readonly kind?: SpanKind;
  /** Undefined: what is done now (`currentTrace`). Null: none. */
  readonly parent?: TraceContext | null | undefined;
  /** Further spans that it follows from. Without a parent it begins a trace of its own then. */
  readonly links?: readonly TraceContext[];
  /** Without a parent and without links: whether it begins a trace, as often as the share says. */
  readonly begins?: boolean;
  /** Its own ids, where others have to know them without being told. Without a parent it is the first of its trace. */
  readonly as?: TraceContext | undefined;
  readonly attributes?: TraceAttributes;
  /** Default: now. */
  readonly startMs?: number;
}

export interface OpenSpan {
  readonly context: TraceContext;
  set(attributes: TraceAttributes): void;
  link(to: TraceContext): void;
  rename(name: string): void;
  /** Of an error only its code or its class leaves. */
  fail(error: unknown): void;
  end(): void;
}

/** What makes spans, once it is loaded. */
export interface SpanMaker {
  begin(span: NewSpan & { readonly parent: TraceContext | null }): OpenSpan;
}

interface Tracing {
  readonly maker: SpanMaker;
  /** Of traces that begin here, 0 to 1. */
  readonly share: number;
}

let tracing: Tracing | undefined;

/**
 * Callers choose the ids of their traces, so they could choose all of them within the share. Each request adds twice the share to
 * this budget, and each trace that is continued takes 1: ids that are random never use it up.
 */
let callerBudget = 0;
const CALLER_BUDGET_PER_SHARE = 2;
const MOST_CALLER_BUDGET = 20;
const current = new AsyncLocalStorage<TraceContext | undefined>();

/** From now on spans are made; undefined: none any more. For startTraces and for tests. */
export function traceWith(made: Tracing | undefined): void {
  tracing = made;
  callerBudget = MOST_CALLER_BUDGET;
}

export const isTracing = (): boolean => tracing !== undefined;

/** The span that this work belongs to; undefined where it is not traced. */
export const currentTrace = (): TraceContext | undefined => (tracing === undefined ? undefined : current.getStore());

/** `work`, and all that it starts, belongs to that span; undefined: to none. */
export const runInTrace = <Result>(context: TraceContext | undefined, work: () => Result): Result =>
  tracing === undefined ? work() : current.run(context, work);

/** A place in a trace that every program knows by itself; undefined where that trace is not sampled. */
export const joinTrace = (context: TraceContext | null): TraceContext | undefined =>
  tracing === undefined || context === null || !isSampled(context.traceId, tracing.share) ? undefined : context;

/** The span that sent a message; undefined where there is none. Whoever sent it has decided that it is sampled. */
export function readTrace(header: unknown): TraceContext | undefined {
  if (tracing === undefined) return undefined;
  const read = readTraceHeader(header);
  return read?.isSampled === true ? { traceId: read.traceId, spanId: read.spanId } : undefined;
}

/**
 * The parent of a request. It is the caller's own span if we sample that trace as well and the budget for callers allows it: callers
 * do not decide how much we trace. A request that its caller does not trace is not traced here either.
 */
export function calledFrom(header: unknown): Pick<NewSpan, 'parent' | 'begins'> {
  const share = tracing?.share ?? 0;
  callerBudget = Math.min(callerBudget + CALLER_BUDGET_PER_SHARE * share, MOST_CALLER_BUDGET);
  const caller = readTraceHeader(header);
  if (caller === null) return { parent: null, begins: true };
  const parent = caller.isSampled ? joinTrace(caller) : undefined;
  if (parent === undefined || callerBudget < 1) return { parent: null, begins: false };
  callerBudget -= 1;
  return { parent, begins: false };
}

/** Undefined: it is not traced. Whoever gets one ends it. */
export function beginSpan(span: NewSpan): OpenSpan | undefined {
  if (tracing === undefined) return undefined;
  const parent = span.parent === undefined ? (current.getStore() ?? null) : span.parent;
  if (parent !== null || span.as !== undefined || (span.links?.length ?? 0) > 0) {
    return tracing.maker.begin({ ...span, parent });
  }
  if (span.begins !== true) return undefined;
  // By its id, as every program does that joins it.
  const as = { traceId: randomId(16), spanId: randomId(8) };
  return isSampled(as.traceId, tracing.share) ? tracing.maker.begin({ ...span, parent, as }) : undefined;
}

/** Runs `work` in a span of its own, which ends with it. */
export async function traced<Result>(
  span: NewSpan,
  work: (span: OpenSpan | undefined) => Promise<Result>,
): Promise<Result> {
  const open = beginSpan(span);
  if (open === undefined) return work(undefined);
  try {
    return await current.run(open.context, () => work(open));
  } catch (error) {
    open.fail(error);
    throw error;
  } finally {
    open.end();
  }
}

/**
 * The place of a span that works on several things: with one of them it belongs to it; with more it begins a trace of its
 * own, which leads to each of them.
 */
export function placeOf(of: readonly TraceContext[]): Pick<NewSpan, 'parent' | 'links'> {
  const [only, ...others] = of;
  return only !== undefined && others.length === 0 ? { parent: only } : { parent: null, links: of };
}
