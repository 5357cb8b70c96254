import { type DatabaseOf, type Tx, inTransaction } from '@aerie/persistence';
import { type KeptReport, reportOf, reportsIn } from './report-lines.js';

/** Reports of one attempt of a flight that follow each other, oldest first, for its track. */
export interface TrackPiece {
  readonly missionId: string;
  readonly attempt: number;
  readonly lines: readonly string[];
}

/**
 * Writes pieces of the track, in the order in which they are given: a row each, which holds all its reports and, beside
 * them, the last one in columns.
 */
export async function writeTrack(tx: Tx, pieces: readonly TrackPiece[]): Promise<void> {
  if (pieces.length === 0) return;
  await tx.run(
    `INSERT INTO mission.flight_track
       (mission_id, attempt, received_at, status, percent, current_step, waypoint_index, media_count, reports)
     SELECT mission_id, attempt, received_at, status, percent, current_step, waypoint_index, media_count, reports
       FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (mission_id uuid, attempt integer, received_at timestamptz,
              status text, percent double precision, current_step double precision, waypoint_index double precision,
              media_count double precision, reports text)) WITH ORDINALITY AS p
      ORDER BY p.ordinality`,
    [
      JSON.stringify(
        pieces.map(({ missionId, attempt, lines }) => {
          const last = reportOf(lines.at(-1) ?? '');
          return {
            mission_id: missionId,
            attempt,
            received_at: new Date(last.receivedAtMs),
            status: last.status,
            percent: last.percent,
            current_step: last.currentStep,
            waypoint_index: last.waypointIndex,
            media_count: last.mediaCount,
            reports: lines.join('\n'),
          };
        }),
      ),
    ],
  );
}

/** One report of a flight as its track has it. */
export interface TrackPoint {
  readonly attempt: number;
  readonly receivedAtMs: number;
  readonly status: string;
  readonly percent: number | null;
  readonly current_step: number | null;
  readonly waypoint_index: number | null;
  readonly media_count: number | null;
}

export interface TrackRow extends Omit<TrackPoint, 'receivedAtMs'> {
  readonly received_at: Date;
  /** Null in rows of the release that wrote each report by itself. */
  readonly reports: string | null;
}

/**
 * What rows hold, in the order in which docks said it, at most so much. A backlog that was handled again after a crash is
 * in them twice. Whoever asks for a track must not keep starts waiting: what is beyond the limit is not even read.
 */
export function pointsOf(rows: Iterable<TrackRow>, limit: number): TrackPoint[] {
  const points = new Map<string, TrackPoint>();
  for (const { reports, received_at, ...row } of rows) {
    if (points.size >= limit) break;
    const inRow =
      reports === null
        ? [{ ...row, receivedAtMs: received_at.getTime() }]
        : reportsIn(reports).map((report) => pointOf(row.attempt, report));
    for (const point of inRow) {
      const { attempt, receivedAtMs, status, percent, current_step, waypoint_index, media_count } = point;
      points.set([attempt, receivedAtMs, status, percent, current_step, waypoint_index, media_count].join(' '), point);
    }
  }
  return [...points.values()].sort((one, other) => one.receivedAtMs - other.receivedAtMs).slice(0, limit);
}

const pointOf = (attempt: number, report: KeptReport): TrackPoint => ({
  attempt,
  receivedAtMs: report.receivedAtMs,
  status: report.status,
  percent: report.percent,
  current_step: report.currentStep,
  waypoint_index: report.waypointIndex,
  media_count: report.mediaCount,
});

/** Days that are made ahead: long enough to notice that making them fails. */
const DAYS_AHEAD = 7;

/** Makes the days that come, and drops those that nobody keeps any longer. Any replica, any number of times. */
export async function keepTrackDays(dataSource: DatabaseOf<'engine'>, keptDays: number): Promise<void> {
  await inTransaction(dataSource, (tx) => tx.run('SELECT mission.make_flight_track_days($1)', [DAYS_AHEAD]));
  await inTransaction(dataSource, (tx) => tx.run('SELECT mission.drop_flight_track_days($1)', [keptDays]));
}
