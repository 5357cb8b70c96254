// The statements on which flights depend: lock, save, claim, calls. Raw SQL, all in this file.
// Lock order everywhere: dock, then mission, then call. Every decision is made on the database's clock, which each
// lock reads with clock_timestamp().
import type { Mission } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { type LockedMission, type MissionProgress, dateOf } from './mission.row.js';

const LOCKED_COLUMNS = `m.*, d.model, d.protocol_generation, d.heard_at AS dock_heard_at,
  w.md5, w.object_key, w.planned_duration_ms, clock_timestamp() AS now`;
const LOCKED_FROM = `mission.dock d
  JOIN mission.mission m ON m.dock_sn = d.sn
  JOIN mission.wayline w ON w.id = m.wayline_id`;

/** Locks the dock and the mission. With a dock given, a mission of another dock is not found. */
export function lockMission(tx: Tx, id: string, dockSn: string | null): Promise<LockedMission | undefined> {
  return tx.one<LockedMission>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.id = $1 AND ($2::text IS NULL OR m.dock_sn = $2) FOR UPDATE OF d, m`,
    [id, dockSn],
  );
}

/** Locks those of the given missions that are due and that nobody else is working on. */
export function lockDue(tx: Tx, ids: readonly string[]): Promise<LockedMission[]> {
  return tx.query<LockedMission>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.id = ANY($1::uuid[]) AND m.next_action_at <= clock_timestamp()
      ORDER BY m.next_action_at FOR UPDATE OF d, m SKIP LOCKED`,
    [ids],
  );
}

export interface DueMission {
  readonly id: string;
  readonly dock_sn: string;
  readonly state: string;
}

/** Missions whose time has come, longest overdue first. Reads only: the lock looks again. */
export function findDue(
  tx: { query: Tx['query'] },
  ids: readonly string[] | null,
  limit: number,
): Promise<DueMission[]> {
  return tx.query<DueMission>(
    `SELECT id, dock_sn, state FROM mission.mission
      WHERE next_action_at <= clock_timestamp() AND ($1::uuid[] IS NULL OR id = ANY($1::uuid[]))
      ORDER BY next_action_at LIMIT $2`,
    [ids, limit],
  );
}

/** Looks at a mission again a little later, whatever its rules say. */
export async function postpone(tx: Tx, id: string): Promise<void> {
  await tx.run(
    `UPDATE mission.mission SET next_action_at = clock_timestamp() + interval '5 seconds'
      WHERE id = $1 AND next_action_at IS NOT NULL`,
    [id],
  );
}

/** The other mission that flies on this dock, if there is one. The dock's row must be locked. */
export function lockOtherFlight(tx: Tx, dockSn: string, id: string): Promise<LockedMission | undefined> {
  return tx.one<LockedMission>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.dock_sn = $1 AND m.id <> $2 AND m.state IN ('starting', 'executing', 'paused') FOR UPDATE OF m`,
    [dockSn, id],
  );
}

/** Writes what was decided. The lock is held, so the revision cannot have changed; it is checked all the same. */
export async function saveMission(
  tx: Tx,
  before: LockedMission,
  after: Mission,
  extra: { readonly preparedFingerprint?: string; readonly progress?: MissionProgress | null },
): Promise<void> {
  const touched = await tx.run(
    `UPDATE mission.mission
        SET state = $3, revision = $4, execute_at = $5, prepare_at = $6, deadline = $7, prepare_count = $8,
            attempt = $9, undo_count = $10, since = $11, started_at = $12, heard_at = $13, next_action_at = $14,
            cause_code = $15, cause_dock_result = $16, prepared_fingerprint = coalesce($17, prepared_fingerprint),
            progress = coalesce($18::jsonb, progress), updated_at = clock_timestamp()
      WHERE id = $1 AND revision = $2`,
    [
      before.id,
      before.revision,
      after.state,
      after.revision,
      dateOf(after.executeAtMs),
      new Date(after.prepareAtMs),
      dateOf(after.deadlineMs),
      after.prepareCount,
      after.attempt,
      after.undoCount,
      new Date(after.sinceMs),
      dateOf(after.startedAtMs),
      dateOf(after.heardAtMs),
      dateOf(after.nextActionAtMs),
      after.cause?.code ?? null,
      after.cause?.dockResult ?? null,
      extra.preparedFingerprint ?? null,
      extra.progress ? JSON.stringify(extra.progress) : null,
    ],
  );
  if (touched !== 1) throw new Error(`mission ${before.id} was changed under our lock`);
}

/**
 * Reserves the dock for a flight that is about to be claimed. False when it is taken, by another mission or by an
 * export of logs.
 */
export async function reserveDock(tx: Tx, mission: LockedMission, forMs: number): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO mission.dock_reservation (dock_sn, during, holder_kind, holder_id)
     SELECT $1, tstzrange(clock_timestamp(), clock_timestamp() + $3 * interval '1 millisecond'), 'mission', $2
      WHERE NOT EXISTS (SELECT 1 FROM mission.dock_reservation
                         WHERE dock_sn = $1 AND holder_id <> $2 AND upper(during) > clock_timestamp())
     ON CONFLICT (holder_kind, holder_id) DO UPDATE SET during = excluded.during
     RETURNING 1`,
    [mission.dock_sn, mission.id, forMs],
  );
  return rows.length > 0;
}

export async function releaseDock(tx: Tx, missionId: string): Promise<void> {
  await tx.run(`DELETE FROM mission.dock_reservation WHERE holder_kind = 'mission' AND holder_id = $1`, [missionId]);
}

export interface NewCall {
  readonly tid: string;
  readonly missionId: string;
  readonly dockSn: string;
  readonly method: string;
  readonly attempt: number;
  readonly notAfterMs: number;
  /** Repeated by itself until it is answered; only for what is harmless to repeat. */
  readonly repeats: boolean;
}

/** Between two sends of a command that repeats by itself. */
const REPEAT = "interval '30 seconds'";
const REPEAT_LIMIT = 3;

/** Records a command before it is sent. A second execute of one attempt cannot be recorded. */
export async function recordCall(tx: Tx, call: NewCall): Promise<void> {
  await tx.run(
    `INSERT INTO mission.dock_call (tid, mission_id, dock_sn, method, attempt, not_after, send_count, next_attempt_at)
     VALUES ($1, $2, $3, $4, $5, $6, 1, CASE WHEN $7 THEN clock_timestamp() + ${REPEAT} END)`,
    [call.tid, call.missionId, call.dockSn, call.method, call.attempt, new Date(call.notAfterMs), call.repeats],
  );
}

export interface CallRow {
  readonly tid: string;
  readonly mission_id: string;
  readonly method: string;
  readonly attempt: number;
  readonly reply_at: Date | null;
}

/** The command that a reply answers. Another dock's reply to it is no reply. */
export function findCall(tx: Tx, tid: string, dockSn: string): Promise<CallRow | undefined> {
  return tx.one<CallRow>(
    'SELECT tid, mission_id, method, attempt, reply_at FROM mission.dock_call WHERE tid = $1 AND dock_sn = $2',
    [tid, dockSn],
  );
}

/** Keeps the first reply; false when there was one before. */
export async function recordReply(tx: Tx, tid: string, result: number): Promise<boolean> {
  const touched = await tx.run(
    `UPDATE mission.dock_call SET reply_result = $2, reply_at = clock_timestamp(), next_attempt_at = NULL
      WHERE tid = $1 AND reply_at IS NULL`,
    [tid, result],
  );
  return touched === 1;
}

export async function recordOutcome(tx: Tx, tid: string, outcome: string, reason: string | null): Promise<void> {
  await tx.run(
    `UPDATE mission.dock_call SET send_outcome = $2, send_reason = $3, sent_at = clock_timestamp() WHERE tid = $1`,
    [tid, outcome, reason],
  );
}

/** Takes commands that are to be repeated; each is pushed forward, so that no other replica repeats it now. */
export function claimRepeats(tx: Tx, limit: number): Promise<CallRow[]> {
  return tx.query<CallRow>(
    `UPDATE mission.dock_call AS c
        SET send_count = c.send_count + 1,
            next_attempt_at = CASE WHEN c.send_count + 1 < ${REPEAT_LIMIT} THEN clock_timestamp() + ${REPEAT} END
       FROM (SELECT tid FROM mission.dock_call
              WHERE next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
      WHERE c.tid = due.tid
      RETURNING c.tid, c.mission_id, c.method, c.attempt, c.reply_at`,
    [limit],
  );
}
