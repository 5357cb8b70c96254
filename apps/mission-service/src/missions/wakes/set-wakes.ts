import type { DatabaseOf } from '@aerie/persistence';
import type { DueWakes } from '../downlink/due-wakes.js';
import { findNextInstants } from '../store/flight-critical.js';

/** How far a look reaches. The next one is taken in a third of it. */
const AHEAD_MS = 3 * 60_000;
export const SET_WAKES_EVERY_MS = AHEAD_MS / 3;
const GRAIN_MS = 25;
/** Of one look; what is beyond it the next one finds, or a sweep. */
const MOST_INSTANTS = 5_000;

/**
 * Sets wakes for what is due in the next minutes: a wake is not kept for hours, and Redis may have lost those that were
 * set. What is set twice is one wake.
 */
export async function setWakes(dataSource: DatabaseOf<'engine'>, wakes: Pick<DueWakes, 'again'>): Promise<void> {
  const reads = {
    query: <Row>(sql: string, parameters: readonly unknown[] = []) => dataSource.query<Row[]>(sql, [...parameters]),
  };
  for (const afterMs of await findNextInstants(reads, AHEAD_MS, GRAIN_MS, MOST_INSTANTS)) wakes.again(afterMs);
}
