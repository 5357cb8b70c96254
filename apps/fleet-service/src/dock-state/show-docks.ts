import type { Metrics } from '@aerie/observability';
import type { DatabaseOf } from '@aerie/persistence';
import type { DockStates } from './dock-states.js';

/** Asking for each dock costs a field of Redis each, so it is not done at each scrape. */
const COUNTED_FOR_MS = 30_000;

type Counts = readonly (readonly [presence: string, docks: number])[];

/** How many docks there are in service, and how many of them are heard. */
export function showDocks(
  metrics: Metrics,
  dataSource: DatabaseOf<'engine'>,
  states: Pick<DockStates, 'countOnline'>,
): void {
  let counted: { readonly atMs: number; readonly counts: Counts } | undefined;
  metrics.askedGauges(
    'fleet_docks',
    'Docks in service that are online and away, counted within the last 30 s. The same from every replica: take the maximum.',
    'presence',
    async () => {
      if (counted !== undefined && Date.now() - counted.atMs < COUNTED_FOR_MS) return counted.counts;
      const rows = await dataSource.query<{ sn: string }[]>(
        'SELECT sn FROM fleet.dock WHERE provisioned_at IS NOT NULL AND retired_at IS NULL',
      );
      const online = await states.countOnline(rows.map(({ sn }) => sn));
      const counts: Counts = [
        ['online', online],
        ['away', rows.length - online],
      ];
      counted = { atMs: Date.now(), counts };
      return counts;
    },
  );
}
