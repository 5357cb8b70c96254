import type { DockFact } from '@aerie/bus-contract';
import { type FlighttaskProgressGet, type FlighttaskProgressGetReply, encodeReply } from '@aerie/dji-protocol';
import { isUuid } from '@aerie/kernel';
import type { DataSource } from 'typeorm';
import type { MissionProgress } from '../store/mission.row.js';

/** Nobody has this flight. [Cloud API, result codes: 319003 unknown mission id] */
export const UNKNOWN_MISSION = 319_003;

interface FlightRow {
  readonly id: string;
  readonly progress: MissionProgress | null;
}

/**
 * What another dock of the same organisation reported last: of the flight that is named, or of its newest.
 * [Cloud API 1.11, flighttask_progress_get]
 */
export async function answerProgressGet(
  dataSource: DataSource,
  fact: DockFact,
  dockSn: string | null,
): Promise<unknown> {
  const { sn, flight_id } = fact.data as FlighttaskProgressGet;
  const answer = (reply: FlighttaskProgressGetReply): unknown =>
    encodeReply('requests_reply', 'flighttask_progress_get', reply);
  if (dockSn === null || (flight_id !== undefined && !isUuid(flight_id))) return answer({ result: UNKNOWN_MISSION });
  const [flight] = await dataSource.query<FlightRow[]>(
    `SELECT m.id, m.progress FROM mission.mission m
       JOIN mission.dock asking ON asking.sn = $1 AND asking.organisation_id = m.organisation_id
      WHERE m.dock_sn = $2 AND m.progress IS NOT NULL AND ($3::uuid IS NULL OR m.id = $3)
      ORDER BY m.created_at DESC LIMIT 1`,
    [dockSn, sn, flight_id ?? null],
  );
  if (flight?.progress == null) return answer({ result: UNKNOWN_MISSION });
  const { status, currentStep, percent } = flight.progress;
  const progress = {
    ...(currentStep === null ? {} : { current_step: currentStep }),
    ...(percent === null ? {} : { percent }),
  };
  return answer({ result: 0, output: { flight_id: flight.id, progress, status } });
}
