import type { Logger, Metrics } from '@aerie/observability';
import type { Shutdown } from './shutdown.js';

/** What every part of a running service shares. */
export interface Host {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}
