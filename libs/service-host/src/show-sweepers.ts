import type { Metrics } from '@aerie/observability';
import type { Sweeper } from './sweeper.js';

/** Each chore that a program looks after, and how far behind it is. */
export function showSweepers(metrics: Metrics, sweepers: readonly Sweeper[]): void {
  metrics.askedGauges(
    'sweep_behind_seconds',
    'How long a chore has been overdue: since its last look that went well, beyond its period. 0 while it is in time.',
    'chore',
    async () => sweepers.map((sweeper) => [sweeper.name, sweeper.behindMs() / 1_000] as const),
  );
}
