export { type Logger, createLogger, nestLogger } from './logger.js';
export { Metrics } from './metrics.js';
