// What we owe mission-service: a dock that was asked for is given back, whatever became of the answer. The row of the upload
// is locked before any of these writes, but for the claim of a release.
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

/** A take that found nobody to answer it in time may still come true; no mission-service hangs for longer and lives. */
const LATE_TAKE = "interval '30 seconds'";

/**
 * Mission-service has heard it. But where it knew nothing of the upload, and the upload is over, a take may still be on
 * its way: such a dock is given back once more. What somebody noted meanwhile stays noted.
 */
export async function forgetHold(
  tx: Tx,
  { upload_id, claimed_until }: HoldRow,
  wasReleased: boolean,
): Promise<'forgotten' | 'kept'> {
  const isThis = 'upload_id = $1 AND NOT wanted AND next_try_at = $2::timestamptz';
  if (!wasReleased) {
    const again = await tx.run(
      `UPDATE log.dock_hold SET next_try_at = clock_timestamp() + ${LATE_TAKE}, given_back_twice = true
        WHERE ${isThis} AND NOT given_back_twice
          AND EXISTS (SELECT 1 FROM log.upload WHERE id = $1 AND next_action_at IS NULL)`,
      [upload_id, claimed_until],
    );
    if (again > 0) return 'kept';
  }
  const gone = await tx.run(`DELETE FROM log.dock_hold WHERE ${isThis}`, [upload_id, claimed_until]);
  return gone > 0 ? 'forgotten' : 'kept';
}
