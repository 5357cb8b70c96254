// The statements on which docks depend: lock, save, claim, calls. Raw SQL, all in this file; those of holds are in
// dock-holds.ts.
// Lock order everywhere: upload, then attempt, call, hold and campaign_dock. Every decision is made on the database's
// clock, which each lock reads with clock_timestamp().
import type { Tx } from '@aerie/persistence';
import type { LogUpload } from '@aerie/log-core';
import { type LockedUpload, UPLOAD_COLUMNS, type UploadRow, columnsOf } from './upload.row.js';

type LockedRow = UploadRow & Pick<LockedUpload, 'now'>;
type PresentAttempt = Pick<LockedUpload, 'attempt_id' | 'prefix' | 'keys_end_at'>;
const NO_ATTEMPT: PresentAttempt = { attempt_id: null, prefix: null, keys_end_at: null };

/** Locks an upload. With a dock given, an upload of another dock is not found. */
export async function lockUpload(tx: Tx, id: string, dockSn: string | null = null): Promise<LockedUpload | undefined> {
  const row = await tx.one<LockedRow>(
    `SELECT ${UPLOAD_COLUMNS}, clock_timestamp() AS now FROM log.upload u
      WHERE u.id = $1 AND ($2::text IS NULL OR u.dock_sn = $2) FOR NO KEY UPDATE`,
    [id, dockSn],
  );
  return row === undefined ? undefined : withAttempt(tx, row);
}

/** Locks several uploads in one order, so that two batches that share some wait for each other and do not deadlock. */
export async function lockUploads(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.run('SELECT 1 FROM log.upload WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [ids]);
}

/** A statement of its own: one that has waited for the lock sees other tables as they were before it waited. */
async function withAttempt(tx: Tx, row: LockedRow): Promise<LockedUpload> {
  if (row.attempt === 0) return { ...row, ...NO_ATTEMPT };
  const attempt = await tx.one<PresentAttempt>(
    'SELECT id AS attempt_id, prefix, keys_end_at FROM log.attempt WHERE upload_id = $1 AND number = $2',
    [row.id, row.attempt],
  );
  return { ...row, ...(attempt ?? NO_ATTEMPT) };
}

/** Uploads whose time has come, longest overdue first. Reads only: the claim looks again. */
export async function findDue(
  through: { query: Tx['query'] },
  ids: readonly string[] | null,
  limit: number,
): Promise<string[]> {
  const rows = await through.query<{ id: string }>(
    `SELECT id FROM log.upload
      WHERE next_action_at <= clock_timestamp() AND ($1::uuid[] IS NULL OR id = ANY($1::uuid[]))
      ORDER BY next_action_at LIMIT $2`,
    [ids, limit],
  );
  return rows.map(({ id }) => id);
}

/** Locks an upload if it is due and nobody else works on it. */
export async function lockDue(tx: Tx, id: string): Promise<LockedUpload | undefined> {
  const row = await tx.one<LockedRow>(
    `SELECT ${UPLOAD_COLUMNS}, clock_timestamp() AS now FROM log.upload u
      WHERE u.id = $1 AND u.next_action_at <= clock_timestamp() FOR NO KEY UPDATE SKIP LOCKED`,
    [id],
  );
  return row === undefined ? undefined : withAttempt(tx, row);
}

/** Looks at an upload again a little later: somebody asks others about it meanwhile, or it cannot be handled now. */
export async function postpone(tx: Tx, id: string, byMs: number): Promise<void> {
  await tx.run(
    `UPDATE log.upload SET next_action_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE id = $1 AND next_action_at IS NOT NULL`,
    [id, byMs],
  );
}

/** Writes what was decided. The lock is held, so the revision cannot have changed; it is checked all the same. */
export async function saveUpload(tx: Tx, before: LockedUpload, after: LogUpload): Promise<void> {
  const { files, ...columns } = columnsOf(after);
  const values: Readonly<Record<string, unknown>> = {
    ...columns,
    files: JSON.stringify(files),
    updated_at: before.now,
  };
  const names = Object.keys(values);
  const touched = await tx.run(
    `UPDATE log.upload SET ${names.map((name, index) => `${name} = $${index + 3}`).join(', ')}
      WHERE id = $1 AND revision = $2`,
    [before.id, before.revision, ...Object.values(values)],
  );
  if (touched !== 1) throw new Error('an upload was changed under our lock');
}

/** While an archive of it is read nobody looks again. */
export async function postponeLook(tx: Tx, id: string, byMs: number): Promise<void> {
  await tx.run(
    `UPDATE log.upload SET next_action_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE id = $1 AND state = 'verifying' AND NOT dock_may_export`,
    [id, byMs],
  );
}

export async function beginAttempt(tx: Tx, id: string, uploadId: string, number: number): Promise<void> {
  await tx.run('INSERT INTO log.attempt (id, upload_id, number) VALUES ($1, $2, $3)', [id, uploadId, number]);
}

/** What is known once the keys were issued. False: the attempt is over already, and nothing may be sent for it. */
export async function keepPrefix(
  tx: Tx,
  { id, attempt }: { readonly id: string; readonly attempt: number },
  prefix: string,
  keysEndAtMs: number,
): Promise<boolean> {
  const touched = await tx.run(
    `UPDATE log.attempt AS a SET prefix = $3, keys_end_at = $4
       FROM log.upload u
      WHERE a.upload_id = $1 AND a.number = $2 AND u.id = a.upload_id AND u.attempt = a.number AND u.state = 'starting'`,
    [id, attempt, prefix, new Date(keysEndAtMs)],
  );
  return touched === 1;
}

export async function endAttempt(
  tx: Tx,
  uploadId: string,
  number: number,
  cause: { readonly code: string; readonly dockResult?: number } | null,
): Promise<void> {
  await tx.run(
    `UPDATE log.attempt SET ended_at = clock_timestamp(), ended_cause = $3, ended_result = $4
      WHERE upload_id = $1 AND number = $2 AND ended_at IS NULL`,
    [uploadId, number, cause?.code ?? null, cause?.dockResult ?? null],
  );
}

export interface AttemptRow {
  readonly upload_id: string;
  readonly number: number;
  readonly prefix: string | null;
}

/** The attempt that a message belongs to: its bid says so, or else the key of an object that it names (quirk L10). */
export async function findAttempt(
  tx: Tx,
  dockSn: string,
  bid: string | null,
  keys: readonly string[],
): Promise<AttemptRow | undefined> {
  const ofDock = `SELECT a.upload_id, a.number, a.prefix FROM log.attempt a JOIN log.upload u ON u.id = a.upload_id
    WHERE u.dock_sn = $1`;
  const named = bid === null ? undefined : await tx.one<AttemptRow>(`${ofDock} AND a.id = $2`, [dockSn, bid]);
  if (named !== undefined || keys.length === 0) return named;
  // No upload lives longer than seven days and the hour after them, and a dock may have had thousands before.
  return tx.one<AttemptRow>(
    `${ofDock} AND a.started_at > clock_timestamp() - interval '8 days'
        AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS k (key) WHERE starts_with(k.key, a.prefix))
      ORDER BY a.started_at DESC LIMIT 1`,
    [dockSn, keys],
  );
}

export interface NewCall {
  readonly tid: string;
  readonly organisationId: string;
  /** Null: a person wants to see the list. */
  readonly uploadId: string | null;
  readonly dockSn: string;
  readonly method: string;
  readonly attempt: number;
  readonly notAfterMs: number;
  readonly requestedBy: string | null;
}

/** Records a command before it is sent. A second start of one attempt cannot be recorded. */
export async function recordCall(tx: Tx, call: NewCall): Promise<void> {
  await tx.run(
    `INSERT INTO log.dock_call (tid, organisation_id, upload_id, dock_sn, method, attempt, not_after, requested_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[call.tid, call.organisationId, call.uploadId, call.dockSn, call.method, call.attempt],
      ...[new Date(call.notAfterMs), call.requestedBy],
    ],
  );
}

export interface CallRow {
  readonly tid: string;
  readonly upload_id: string | null;
  readonly method: string;
  readonly attempt: number;
  readonly claimed_at: Date;
}

/** The command that a reply answers. Another dock's reply to it is no reply. */
export function findCall(tx: Tx, tid: string, dockSn: string): Promise<CallRow | undefined> {
  return tx.one<CallRow>(
    'SELECT tid, upload_id, method, attempt, claimed_at FROM log.dock_call WHERE tid = $1 AND dock_sn = $2',
    [tid, dockSn],
  );
}

/**
 * Keeps the first reply; false when there was one before. But a dock that was told a start twice says yes once, and no
 * the other time, and the yes may come last: it counts.
 */
export async function recordReply(tx: Tx, tid: string, result: number, reply: unknown): Promise<boolean> {
  const touched = await tx.run(
    `UPDATE log.dock_call SET reply_result = $2, reply_at = clock_timestamp(), reply = $3
      WHERE tid = $1 AND (reply_at IS NULL OR (method = 'fileupload_start' AND reply_result <> 0 AND $2 = 0))`,
    [tid, result, reply === null ? null : JSON.stringify(reply)],
  );
  return touched === 1;
}

export async function recordOutcome(tx: Tx, tid: string, outcome: string, reason: string | null): Promise<void> {
  await tx.run(
    `UPDATE log.dock_call SET send_outcome = $2, send_reason = $3, sent_at = clock_timestamp() WHERE tid = $1`,
    [tid, outcome, reason],
  );
}
