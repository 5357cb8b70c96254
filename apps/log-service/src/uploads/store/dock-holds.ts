// What we owe mission-service: a dock that was asked for is given back, whatever became of the answer. The row of the upload
// is locked before any of these writes, but for those that claim a release or a take and end them.
import type { Tx } from '@aerie/persistence';
import type { LockedUpload } from './upload.row.js';

export interface Hold {
  readonly wanted: boolean;
  readonly generation: number;
}

/**
 * Notes that the dock is asked for. Not wanted in the answer: it is still to be given back from before, and may be asked
 * for only after that.
 */
export async function wantDock(tx: Tx, { id, dock_sn, revision }: LockedUpload): Promise<Hold> {
  const hold = await tx.one<Hold>(
    `INSERT INTO log.dock_hold (upload_id, dock_sn, wanted, generation) VALUES ($1, $2, true, $3)
     ON CONFLICT (upload_id) DO UPDATE SET wanted = log.dock_hold.wanted RETURNING wanted, generation`,
    [id, dock_sn, revision],
  );
  if (hold === undefined) throw new Error('a hold was not written');
  return hold;
}

/** Whether the dock is still wanted; locked, so that nobody gives it back meanwhile. */
export async function isDockWanted(tx: Tx, uploadId: string): Promise<boolean> {
  const hold = await tx.one<Hold>('SELECT wanted, generation FROM log.dock_hold WHERE upload_id = $1 FOR UPDATE', [
    uploadId,
  ]);
  return hold?.wanted === true;
}

/** From here on the dock is to be given back, until mission-service has heard it. */
export async function giveDockBack(tx: Tx, uploadId: string): Promise<void> {
  await tx.run('UPDATE log.dock_hold SET wanted = false, next_try_at = clock_timestamp() WHERE upload_id = $1', [
    uploadId,
  ]);
}

/** The same where nobody may remember that it was asked for: an answer was lost, or came after everything was over. */
export async function noteRelease(tx: Tx, { id, dock_sn, revision }: LockedUpload): Promise<void> {
  await tx.run(
    `INSERT INTO log.dock_hold (upload_id, dock_sn, wanted, generation) VALUES ($1, $2, false, $3)
     ON CONFLICT (upload_id) DO UPDATE SET wanted = false, next_try_at = clock_timestamp()`,
    [id, dock_sn, revision],
  );
}

export interface HoldRow {
  readonly upload_id: string;
  readonly dock_sn: string;
  readonly generation: number;
  /** Tells this claim from a wish that comes after it. As text: a Date would round it. */
  readonly claimed_until: string;
}

/** Takes docks that are to be given back; each is pushed forward, so that no other replica does it now. */
export function claimReleases(tx: Tx, limit: number): Promise<HoldRow[]> {
  return tx.query<HoldRow>(
    `UPDATE log.dock_hold AS h SET next_try_at = clock_timestamp() + interval '10 seconds'
       FROM (SELECT upload_id FROM log.dock_hold WHERE NOT wanted AND next_try_at <= clock_timestamp()
              ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
      WHERE h.upload_id = due.upload_id
     RETURNING h.upload_id, h.dock_sn, h.generation, h.next_try_at::text AS claimed_until`,
    [limit],
  );
}

/** A take is answered long before, or mission-service lets it be; until then it may come true. */
const TAKE_LIFETIME_MS = 10_000;
/** For what mission-service has begun at the last moment. */
const TAKE_GRACE_MS = 5_000;

/**
 * Notes that the dock is asked for now. Returns when the question loses its meaning, by the database's clock; null: the
 * dock is not wanted any more.
 */
export async function beginTake(tx: Tx, uploadId: string): Promise<number | null> {
  const begun = await tx.one<{ now: Date }>(
    `UPDATE log.dock_hold SET asked_until = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE upload_id = $1 AND wanted RETURNING clock_timestamp() AS now`,
    [uploadId, TAKE_LIFETIME_MS + TAKE_GRACE_MS],
  );
  return begun === undefined ? null : begun.now.getTime() + TAKE_LIFETIME_MS;
}

/** The take was answered: nothing of it is on its way. */
export async function endTake(tx: Tx, uploadId: string): Promise<void> {
  await tx.run('UPDATE log.dock_hold SET asked_until = NULL WHERE upload_id = $1', [uploadId]);
}

/**
 * Mission-service has heard it. But where a take may still come true, the dock is given back once more after that. What
 * somebody noted meanwhile stays noted.
 */
export async function forgetHold(tx: Tx, { upload_id, claimed_until }: HoldRow): Promise<'forgotten' | 'kept'> {
  const isThis = 'upload_id = $1 AND NOT wanted AND next_try_at = $2::timestamptz';
  const gone = await tx.run(
    `DELETE FROM log.dock_hold WHERE ${isThis} AND (asked_until IS NULL OR asked_until <= clock_timestamp())`,
    [upload_id, claimed_until],
  );
  if (gone > 0) return 'forgotten';
  await tx.run(`UPDATE log.dock_hold SET next_try_at = asked_until WHERE ${isThis} AND asked_until IS NOT NULL`, [
    upload_id,
    claimed_until,
  ]);
  return 'kept';
}
