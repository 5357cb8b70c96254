import type { DockFact } from '@aerie/bus-contract';
import { isUuid } from '@aerie/kernel';
import type { DatabaseOf } from '@aerie/persistence';
import { noProgressAnswer, progressAnswer } from '../dji/dock-answers.js';
import { flightAskedFor } from '../dji/translate-uplink.js';
import { showLive } from '../store/flight-live.js';
import type { MissionRow } from '../store/mission.row.js';

/**
 * What another dock of the same organisation reported last: of the flight that is named, or of its newest.
 * [Cloud API 1.11, flighttask_progress_get]
 */
export async function answerProgressGet(
  dataSource: DatabaseOf<'engine'>,
  fact: DockFact,
  dockSn: string | null,
): Promise<unknown> {
  const { sn, flightId } = flightAskedFor(fact);
  if (dockSn === null || (flightId !== null && !isUuid(flightId))) return noProgressAnswer();
  const rows = await dataSource.query<MissionRow[]>(
    `SELECT m.* FROM mission.mission m
       JOIN mission.dock asking ON asking.sn = $1 AND asking.organisation_id = m.organisation_id
      WHERE m.dock_sn = $2 AND m.progress IS NOT NULL AND ($3::uuid IS NULL OR m.id = $3)
      ORDER BY m.created_at DESC LIMIT 1`,
    [dockSn, sn, flightId],
  );
  const reads = {
    query: <Row>(sql: string, given: readonly unknown[] = []) => dataSource.query<Row[]>(sql, [...given]),
  };
  const [flight] = await showLive(reads, rows);
  return flight?.progress == null ? noProgressAnswer() : progressAnswer(flight.id, flight.progress);
}
