import type { Metrics } from '@aerie/observability';
import type { DataSource } from 'typeorm';

/** How long the oldest fact has waited to be published; one look into an index of those that wait. */
export function showOutbox(metrics: Metrics, dataSource: DataSource, schema: string): void {
  metrics.askedGauge(
    'outbox_oldest_seconds',
    'How long the oldest fact waits to be published; 0 when none waits. The same from every replica: take the maximum.',
    async () => {
      const [row] = await dataSource.query<[{ seconds: number } | undefined]>(
        `SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 AS seconds
           FROM ${schema}.outbox WHERE done_at IS NULL ORDER BY id LIMIT 1`,
      );
      return row?.seconds ?? 0;
    },
  );
}
