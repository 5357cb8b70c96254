import { type Tx, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { MissionProgress } from './mission.row.js';

/** One report, for the track of the flight. */
export interface TrackPoint {
  readonly missionId: string;
  readonly attempt: number;
  readonly receivedAtMs: number;
  readonly progress: MissionProgress;
}

/** Writes reports into the track, in the order in which they are given. */
export async function writeTrack(tx: Tx, points: readonly TrackPoint[]): Promise<void> {
  if (points.length === 0) return;
  await tx.run(
    `INSERT INTO mission.flight_track
       (mission_id, attempt, received_at, status, percent, current_step, waypoint_index, media_count)
     SELECT mission_id, attempt, received_at, status, percent, current_step, waypoint_index, media_count
       FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (mission_id uuid, attempt integer, received_at timestamptz,
              status text, percent double precision, current_step double precision, waypoint_index double precision,
              media_count double precision)) WITH ORDINALITY AS p
      ORDER BY p.ordinality`,
    [
      JSON.stringify(
        points.map(({ missionId, attempt, receivedAtMs, progress }) => ({
          mission_id: missionId,
          attempt,
          received_at: new Date(receivedAtMs),
          status: progress.status,
          percent: progress.percent,
          current_step: progress.currentStep,
          waypoint_index: progress.waypointIndex,
          media_count: progress.mediaCount,
        })),
      ),
    ],
  );
}

/** Days that are made ahead: long enough to notice that making them fails. */
const DAYS_AHEAD = 7;

/** Makes the days that come, and drops those that nobody keeps any longer. Any replica, any number of times. */
export async function keepTrackDays(dataSource: DataSource, keptDays: number): Promise<void> {
  await inTransaction(dataSource, (tx) => tx.run('SELECT mission.make_flight_track_days($1)', [DAYS_AHEAD]));
  await inTransaction(dataSource, (tx) => tx.run('SELECT mission.drop_flight_track_days($1)', [keptDays]));
}
