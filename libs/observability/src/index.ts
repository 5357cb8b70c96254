export { type Logger, createLogger, nestLogger } from './logger.js';
export { Metrics } from './metrics.js';
export { REQUEST_ID_HEADER, currentRequestId, readRequestId, runWithRequestId } from './request-id.js';
export { type Attempts, awaitedNow, retryUntilReached, sayWhileAwaited } from './waiting.js';
export { startTraces, type TraceSettings } from './traces/start-traces.js';
export { TRACE_ATTRIBUTES, type TraceAttribute, type TraceAttributes } from './traces/trace-attributes.js';
export { TRACE_HEADER, type TraceContext, traceHeaderOf, unsampledHeader } from './traces/trace-context.js';
export {
  type NewSpan,
  type OpenSpan,
  type SpanMaker,
  beginSpan,
  calledFrom,
  currentTrace,
  isTracing,
  joinTrace,
  placeOf,
  readTrace,
  runInTrace,
  traceWith,
  traced,
} from './traces/traces.js';
