import type { Metrics } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { poolOf } from './pool.js';

/** How much of each pool is in use, and how many wait for one of its connections. */
export function showPools(metrics: Metrics, pools: Readonly<Record<string, DataSource>>): void {
  const of = (read: (pool: ReturnType<typeof poolOf>) => number) => async () =>
    Object.entries(pools).map(([name, dataSource]) => [name, read(poolOf(dataSource))] as const);
  metrics.askedGauges(
    'database_connections_in_use',
    'Connections of a pool that a statement or a transaction holds.',
    'pool',
    of(({ totalCount, idleCount }) => totalCount - idleCount),
  );
  metrics.askedGauges(
    'database_connections_awaited',
    'How many wait for a connection of a pool. Above 0 for long: the database is slow, or this replica has too much to do.',
    'pool',
    of(({ waitingCount }) => waitingCount),
  );
}
