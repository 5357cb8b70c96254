import type { Metrics } from '@aerie/observability';
import type { DatabaseOf } from '@aerie/persistence';

const AHEAD_SECONDS = 60;
/** Above it more replicas would not help: a look stays cheap however many missions a plan holds. */
const MOST_COUNTED = 10_000;

/** One index, from its begin up to the bound. */
const COUNT = `
  SELECT count(*)::int AS due FROM (
    SELECT 1 FROM mission.mission WHERE next_action_at < now() + $1 * interval '1 second' LIMIT $2
  ) AS soon`;

/** How many missions have something to do within the next minute: a herd is seen before it is due, and scaled for. */
export function showDueSoon(metrics: Metrics, dataSource: DatabaseOf<'engine'>): void {
  metrics.askedGauge(
    'mission_due_soon',
    `Missions whose next step is due within ${AHEAD_SECONDS} s, at most ${MOST_COUNTED}. The same from every replica: take the maximum.`,
    async () => {
      const [row] = await dataSource.query<[{ due: number }]>(COUNT, [AHEAD_SECONDS, MOST_COUNTED]);
      return row.due;
    },
  );
}
