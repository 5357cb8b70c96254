import type { StoredBreakPoint } from '../dji/dock-profiles.js';
import type { Tx } from '@aerie/persistence';

export interface BreakPointRow {
  readonly id: string;
  readonly mission_id: string;
  readonly at: Date;
  readonly reason: number | null;
  readonly point: StoredBreakPoint;
}

/** Keeps places where flights stopped. A dock repeats the same place in each progress message; it is kept once. */
export async function keepBreakPoints(
  tx: Tx,
  breakPoints: readonly { readonly missionId: string; readonly point: StoredBreakPoint }[],
): Promise<void> {
  if (breakPoints.length === 0) return;
  await tx.run(
    `INSERT INTO mission.breakpoint (mission_id, reason, point)
     SELECT mission_id, reason, point
       FROM jsonb_to_recordset($1::jsonb) AS b (mission_id uuid, reason integer, point jsonb)
     ON CONFLICT (mission_id, point) DO NOTHING`,
    [
      JSON.stringify(
        breakPoints.map(({ missionId, point }) => ({
          mission_id: missionId,
          reason: point.break_reason ?? null,
          point,
        })),
      ),
    ],
  );
}

/** Where a mission stopped, oldest first. */
export function findBreakPoints(tx: { query: Tx['query'] }, missionId: string): Promise<BreakPointRow[]> {
  return tx.query<BreakPointRow>(
    'SELECT id::text AS id, mission_id, at, reason, point FROM mission.breakpoint WHERE mission_id = $1 ORDER BY id LIMIT 1000',
    [missionId],
  );
}
