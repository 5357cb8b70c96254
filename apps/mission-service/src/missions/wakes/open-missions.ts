import { ACTIVE_STATES } from '@aerie/mission-core';
import type { Metrics } from '@aerie/observability';
import type { DatabaseOf } from '@aerie/persistence';

/** Above it nobody needs to know how many, and a look stays cheap however many missions a plan holds. */
const MOST_READ = 10_000;

/** By the index of those that have a next step, which are those that are not over. */
const COUNT = `
  SELECT state, count(*)::int AS missions
    FROM (SELECT state FROM mission.mission WHERE next_action_at IS NOT NULL LIMIT $1) AS open
   GROUP BY state`;

/** How many missions there are in each state that is left again. */
export function showOpenMissions(metrics: Metrics, dataSource: DatabaseOf<'engine'>): void {
  metrics.askedGauges(
    'mission_open',
    `Missions that are not over, by state, of at most ${MOST_READ}. The same from every replica: take the maximum.`,
    'state',
    async () => {
      const rows = await dataSource.query<{ state: string; missions: number }[]>(COUNT, [MOST_READ]);
      const counted = new Map(rows.map(({ state, missions }) => [state, missions]));
      return ACTIVE_STATES.map((state) => [state, counted.get(state) ?? 0] as const);
    },
  );
}
