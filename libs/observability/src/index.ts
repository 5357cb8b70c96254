export { type Logger, createLogger, nestLogger } from './logger.js';
export { Metrics } from './metrics.js';
export { REQUEST_ID_HEADER, currentRequestId, readRequestId, runWithRequestId } from './request-id.js';
export { type Attempts, awaitedNow, retryUntilReached, sayWhileAwaited } from './waiting.js';
