import type { Prune, PrunedBatch, Tx } from '@aerie/persistence';
import { isResumable } from '../dji/resumable.js';
import type { StoredBreakPoint } from '../dji/dock-profiles.js';

/** Missions of one transaction. Their rows are locked for some milliseconds; others wait for them that long. */
const MISSIONS = 30;
/** Rows of the timeline, and commands, of one transaction. */
const ROWS = 2_000;

/** Shorter than this, a repeat of a dock's message, or of a caller's request, could meet a mission that it does not find. */
export const LEAST_DETAIL_DAYS = 8;
export const LEAST_MISSION_DAYS = 30;

export interface Sizes {
  readonly missions: number;
  readonly rows: number;
}

/**
 * Missions that ended, and of which nothing was decided since, so many days ago. Never one that has not ended, whose
 * outcome is unknown and not resolved, or whose dock is still told something. The words of the index are repeated here, and
 * now() bounds it: it would be read to its end by clock_timestamp(), which may change from row to row.
 */
const isOld = (days: string): string => `m.next_action_at IS NULL
  AND NOT (m.state = 'outcome_unknown' AND m.resolution IS NULL)
  AND m.since < now() - make_interval(days => ${days})
  AND m.updated_at < now() - make_interval(days => ${days})
  AND NOT ${repeatsCalls('m.id')}`;

const repeatsCalls = (missionId: string): string => `EXISTS (
  SELECT 1 FROM mission.dock_call c WHERE c.mission_id = ${missionId} AND c.next_attempt_at IS NOT NULL)`;

/** Of these a later one has flown the rest of the route: nobody goes on where they stopped. */
const COMPLETED = `('succeeded', 'partially_done')`;

/**
 * Deletes the detail of missions that ended `days` days ago: timeline, commands, preflight, last report, and places at
 * which nobody can go on any more. The mission itself stays, and says that its detail was deleted.
 */
export function detailPrune(days: number, sizes: Sizes = { missions: MISSIONS, rows: ROWS }): Prune {
  if (days < LEAST_DETAIL_DAYS) {
    throw new RangeError(`detail of missions is kept for ${LEAST_DETAIL_DAYS} days at least, not for ${days}`);
  }
  return { name: 'detail of ended missions', batch: (tx) => pruneDetail(tx, days, sizes) };
}

async function pruneDetail(tx: Tx, days: number, sizes: Sizes): Promise<PrunedBatch> {
  const missions = await tx.query<{ id: string }>(
    `SELECT m.id FROM mission.mission m WHERE m.detail_kept AND ${isOld('$1')}
      ORDER BY m.since LIMIT $2 FOR NO KEY UPDATE OF m SKIP LOCKED`,
    [days, sizes.missions],
  );
  if (missions.length === 0) return { rows: {}, more: false };
  const ids = missions.map(({ id }) => id);
  // With the locks held, on what is there now.
  const [timeline, dockCall, preflight, flightLive, breakpoint] = await Promise.all([
    tx.run(
      // By place: entries never change, and whoever deletes them holds the lock of their mission.
      `DELETE FROM mission.timeline WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM mission.timeline WHERE mission_id = ANY($1::uuid[]) LIMIT $2))`,
      [ids, sizes.rows],
    ),
    tx.run(
      `DELETE FROM mission.dock_call WHERE tid = ANY(ARRAY(
         SELECT tid FROM mission.dock_call WHERE mission_id = ANY($1::uuid[]) AND next_attempt_at IS NULL LIMIT $2))`,
      [ids, sizes.rows],
    ),
    tx.run('DELETE FROM mission.preflight WHERE mission_id = ANY($1::uuid[])', [ids]),
    tx.run('DELETE FROM mission.flight_live WHERE mission_id = ANY($1::uuid[])', [ids]),
    pruneBreakPoints(tx, ids),
  ]);
  const isDone = timeline < sizes.rows && dockCall < sizes.rows;
  await tx.run(
    `UPDATE mission.mission AS m
        SET detail_pruned_at = coalesce(m.detail_pruned_at, clock_timestamp()), detail_kept = $2 OR ${repeatsCalls('m.id')}
      WHERE m.id = ANY($1::uuid[])`,
    [ids, !isDone],
  );
  const rows = { timeline, dock_call: dockCall, preflight, flight_live: flightLive, breakpoint };
  return { rows, more: !isDone || missions.length === sizes.missions };
}

/** Places where nobody can go on: they name nothing, or a later mission has flown the rest. */
async function pruneBreakPoints(tx: Tx, missionIds: readonly string[]): Promise<number> {
  const points = await tx.query<{ id: string; point: StoredBreakPoint; completed: boolean }>(
    `SELECT b.id::text AS id, b.point, EXISTS (
              WITH RECURSIVE later AS (
                SELECT n.id, n.state FROM mission.mission n WHERE n.resumed_from = b.mission_id
                UNION ALL
                SELECT n.id, n.state FROM mission.mission n JOIN later ON n.resumed_from = later.id)
              SELECT 1 FROM later WHERE state IN ${COMPLETED}) AS completed
       FROM mission.breakpoint b WHERE b.mission_id = ANY($1::uuid[])`,
    [missionIds],
  );
  const ids = points.filter(({ point, completed }) => completed || !isResumable(point)).map(({ id }) => id);
  if (ids.length === 0) return 0;
  return tx.run('DELETE FROM mission.breakpoint WHERE id = ANY($1::bigint[])', [ids]);
}

/**
 * Deletes missions themselves that ended `days` days ago and whose detail is gone. Never one with a place where it can
 * still be resumed, nor one that another goes on with; of a chain the last one goes first.
 */
export function missionPrune(days: number, sizes: Pick<Sizes, 'missions'> = { missions: MISSIONS }): Prune {
  if (days < LEAST_MISSION_DAYS) {
    throw new RangeError(`missions are kept for ${LEAST_MISSION_DAYS} days at least, not for ${days}`);
  }
  return { name: 'ended missions', batch: (tx) => pruneMissions(tx, days, sizes.missions) };
}

async function pruneMissions(tx: Tx, days: number, most: number): Promise<PrunedBatch> {
  const missions = await tx.query<{ id: string }>(
    // Locked for deletion: whoever writes a row that names one of them waits, and is told that it is gone.
    `SELECT m.id FROM mission.mission m
      WHERE NOT m.detail_kept AND ${isOld('$1')}
        -- OFFSET 0: asked for each mission, by its index. A join would read the whole table for a few missions.
        AND NOT EXISTS (SELECT 1 FROM mission.mission n WHERE n.resumed_from = m.id OFFSET 0)
        AND NOT EXISTS (SELECT 1 FROM mission.breakpoint b WHERE b.mission_id = m.id OFFSET 0)
        AND NOT EXISTS (SELECT 1 FROM mission.dock_reservation r
                         WHERE r.holder_kind = 'mission' AND r.holder_id = m.id OFFSET 0)
      ORDER BY m.since LIMIT $2 FOR UPDATE OF m SKIP LOCKED`,
    [days, most],
  );
  if (missions.length === 0) return { rows: {}, more: false };
  const ids = missions.map(({ id }) => id);
  // What docks have said of them since their detail was deleted; a reference that is left fails the transaction.
  const [breakpoint, timeline, dockCall, preflight, mission] = await Promise.all([
    // Where they have flown the rest of a route, its first part cannot be resumed any more, and would not know it.
    tx.run(
      `DELETE FROM mission.breakpoint WHERE mission_id = ANY(ARRAY(
         WITH RECURSIVE former AS (
           SELECT m.resumed_from AS id FROM mission.mission m
            WHERE m.id = ANY($1::uuid[]) AND m.state IN ${COMPLETED} AND m.resumed_from IS NOT NULL
           UNION
           SELECT (SELECT m.resumed_from FROM mission.mission m WHERE m.id = former.id) FROM former
            WHERE former.id IS NOT NULL)
         SELECT id FROM former WHERE id IS NOT NULL))`,
      [ids],
    ),
    tx.run('DELETE FROM mission.timeline WHERE mission_id = ANY($1::uuid[])', [ids]),
    tx.run('DELETE FROM mission.dock_call WHERE mission_id = ANY($1::uuid[]) AND next_attempt_at IS NULL', [ids]),
    tx.run('DELETE FROM mission.preflight WHERE mission_id = ANY($1::uuid[])', [ids]),
    tx.run('DELETE FROM mission.mission WHERE id = ANY($1::uuid[])', [ids]),
  ]);
  const rows = { mission, breakpoint, timeline, dock_call: dockCall, preflight };
  // The one that another has gone on with may be next.
  return { rows, more: true };
}
