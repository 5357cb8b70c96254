// The statements on which flights depend: lock, save, claim, calls. Raw SQL; who has reserved a dock is beside it, in
// dock-reservations.ts.
// Lock order everywhere: dock, then mission, then call. Every decision is made on the database's clock, which each
// lock reads with clock_timestamp().
// Locks are FOR NO KEY UPDATE: a row that names a mission, as in its timeline, may be written meanwhile.
import type { DockRecord } from '@aerie/bus-contract';
import type { Mission, MissionState } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { namedFlightToldAt, readLive, readLiveOfDock, withDockHeard, withLives } from './flight-live.js';
import type { FlightLive } from './mission.row.js';
import { type LockedMission, MISSION_COLUMNS, type MissionProgress, dateOf } from './mission.row.js';
import type { StoredApproval } from './approval-column.js';
import type { Verdicts } from './preflights.js';

const LOCKED_COLUMNS = `${MISSION_COLUMNS.map((column) => `m.${column}`).join(', ')}, d.model, d.protocol_generation, d.heard_at AS dock_heard_at,
  d.flight_id AS dock_flight_id, d.flight_at AS dock_flight_at,
  CASE WHEN d.flight_id <> m.id::text THEN ${namedFlightToldAt('d')} END AS named_at, w.md5, w.object_key,
  coalesce(m.planned_duration_ms, w.planned_duration_ms) AS planned_duration_ms,
  w.aircraft_model_key, w.names_sub_type, w.payload_model_keys, clock_timestamp() AS now`;
const LOCKED_FROM = `mission.dock d
  JOIN mission.mission m ON m.dock_sn = d.sn
  JOIN mission.wayline w ON w.id = m.wayline_id`;

type LockedRow = Omit<LockedMission, 'live'> & { readonly named_at: Date | null };

/** Sent together: the second is worked off once the first has its locks. */
async function lockedWithLive(
  locking: Promise<readonly LockedRow[]>,
  reading: Promise<readonly FlightLive[]>,
): Promise<LockedMission[]> {
  const [rows, lives] = await Promise.all([locking, reading]);
  return withLives(rows, lives).map((row) => withDockHeard(row, row.named_at));
}

/** Locks the dock and the mission. With a dock given, a mission of another dock is not found. */
export async function lockMission(tx: Tx, id: string, dockSn: string | null): Promise<LockedMission | undefined> {
  const locking = tx.query<LockedRow>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.id = $1 AND ($2::text IS NULL OR m.dock_sn = $2) FOR NO KEY UPDATE OF d, m`,
    [id, dockSn],
  );
  const [row] = await lockedWithLive(locking, readLive(tx, [id]));
  return row;
}

/** Locks several missions and their docks, in the one order of all who lock several: by dock, then by mission. */
export function lockMissions(tx: Tx, ids: readonly string[]): Promise<LockedMission[]> {
  if (ids.length === 0) return Promise.resolve([]);
  const locking = tx.query<LockedRow>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.id = ANY($1::uuid[]) ORDER BY d.sn, m.id FOR NO KEY UPDATE OF d, m`,
    [ids],
  );
  return lockedWithLive(locking, readLive(tx, ids));
}

/**
 * Reads missions that this transaction has written itself and nobody else can see, in the order of their ids. Each is looked
 * up by itself: joined as a whole, a planner that does not know how many the organisation has walks through all of them. As
 * JSON, since the length of an array would be a reason to plan anew each time.
 */
export function readMissions(tx: Tx, ids: readonly string[]): Promise<LockedMission[]> {
  if (ids.length === 0) return Promise.resolve([]);
  const reading = tx.query<LockedRow>(
    `SELECT ${LOCKED_COLUMNS} FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS wanted (id, place)
      CROSS JOIN LATERAL (SELECT ${MISSION_COLUMNS.join(', ')}, planned_duration_ms
                            FROM mission.mission x WHERE x.id = wanted.id::uuid OFFSET 0) AS m
      CROSS JOIN LATERAL (SELECT sn, model, protocol_generation, heard_at, flight_id, flight_at
                            FROM mission.dock x WHERE x.sn = m.dock_sn OFFSET 0) AS d
      CROSS JOIN LATERAL (SELECT md5, object_key, planned_duration_ms, aircraft_model_key, names_sub_type, payload_model_keys
                            FROM mission.wayline x WHERE x.id = m.wayline_id OFFSET 0) AS w
      ORDER BY wanted.place`,
    [JSON.stringify(ids)],
  );
  return lockedWithLive(reading, Promise.resolve([]));
}

/** Locks those of the given missions that are due and that nobody else is working on. */
export function lockDue(tx: Tx, ids: readonly string[]): Promise<LockedMission[]> {
  const locking = tx.query<LockedRow>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.id = ANY($1::uuid[]) AND m.next_action_at <= clock_timestamp()
      ORDER BY m.next_action_at FOR NO KEY UPDATE OF d, m SKIP LOCKED`,
    [ids],
  );
  return lockedWithLive(locking, readLive(tx, ids));
}

export interface DueMission {
  readonly id: string;
  readonly organisation_id: string;
  readonly dock_sn: string;
  readonly wayline_id: string;
  readonly state: MissionState;
  /** For how long it has been due, milliseconds. */
  readonly overdue_ms: number;
}

/**
 * Missions of some states whose time has come, at least so long ago and, where `backMs` is given, no longer ago than that
 * before; longest overdue first. Reads only: the lock looks again. statement_timestamp() bounds the index; clock_timestamp()
 * would have every open mission read, each second.
 */
export function findDue(
  tx: { query: Tx['query'] },
  ids: readonly string[] | null,
  states: readonly MissionState[],
  limit: number,
  overdueMs: number,
  backMs: number | null = null,
): Promise<DueMission[]> {
  return tx.query<DueMission>(
    `SELECT id, organisation_id, dock_sn, wayline_id, state,
            (extract(epoch FROM clock_timestamp() - next_action_at) * 1000)::float8 AS overdue_ms
       FROM mission.mission
      WHERE next_action_at <= statement_timestamp() - $4 * interval '1 millisecond' AND state = ANY($2::text[])
        AND next_action_at >= coalesce(statement_timestamp() - ($4 + $5::float8) * interval '1 millisecond', '-infinity')
        AND ($1::uuid[] IS NULL OR id = ANY($1::uuid[]))
      ORDER BY next_action_at LIMIT $3`,
    [ids, states, limit, overdueMs, backMs],
  );
}

/**
 * Instants at which missions are due within some time from now, milliseconds from now, to within `grainMs`. Flights are
 * left out: their silence is watched by sweeps alone.
 */
export async function findNextInstants(
  through: { query: Tx['query'] },
  withinMs: number,
  grainMs: number,
  limit: number,
): Promise<number[]> {
  const rows = await through.query<{ after_ms: number }>(
    `SELECT DISTINCT ceil(extract(epoch FROM next_action_at - clock_timestamp()) * 1000 / $2) * $2 AS after_ms
       FROM mission.mission
      WHERE next_action_at > statement_timestamp() AND next_action_at <= statement_timestamp() + $1 * interval '1 millisecond'
        AND state NOT IN ('executing', 'paused')
      ORDER BY 1 LIMIT $3`,
    [withinMs, grainMs, limit],
  );
  return rows.map(({ after_ms }) => Number(after_ms));
}

/** Looks at a mission again a little later, whatever its rules say; the note lets its timeline be replayed. */
export async function postpone(tx: Tx, id: string): Promise<void> {
  await tx.run(
    `WITH later AS (
       UPDATE mission.mission SET next_action_at = clock_timestamp() + interval '5 seconds'
        WHERE id = $1 AND next_action_at IS NOT NULL RETURNING id, next_action_at)
     INSERT INTO mission.timeline (mission_id, kind, what, detail)
     SELECT id, 'note', 'postponed',
            jsonb_build_object('nextActionAtMs', floor(extract(epoch FROM next_action_at) * 1000)) FROM later`,
    [id],
  );
}

/** Whether another mission flies on this dock. The dock's row must be locked. */
export async function findOtherFlight(tx: Tx, dockSn: string, id: string): Promise<boolean> {
  const other = await tx.one(
    `SELECT 1 FROM mission.mission
      WHERE dock_sn = $1 AND id <> $2 AND state IN ('starting', 'executing', 'paused') LIMIT 1`,
    [dockSn, id],
  );
  return other !== undefined;
}

/** The other mission that flies on this dock, if there is one. The dock's row must be locked. */
export async function lockOtherFlight(tx: Tx, dockSn: string, id: string): Promise<LockedMission | undefined> {
  const locking = tx.query<LockedRow>(
    `SELECT ${LOCKED_COLUMNS} FROM ${LOCKED_FROM}
      WHERE m.dock_sn = $1 AND m.id <> $2 AND m.state IN ('starting', 'executing', 'paused') FOR NO KEY UPDATE OF m`,
    [dockSn, id],
  );
  const [other] = await lockedWithLive(locking, readLiveOfDock(tx, dockSn));
  return other;
}

export interface MissionChange {
  readonly before: LockedMission;
  readonly after: Mission;
  readonly preparedFingerprint: string | null;
  readonly progress: MissionProgress | null;
  /** Null: it stays as it is. */
  readonly approval: StoredApproval | null;
  /** Verdicts of preflight stages; they replace the last ones of the same stages. */
  readonly verdicts: Verdicts | null;
}

/**
 * Writes what was decided, for any number of missions in one statement. The locks are held, so no revision can have
 * changed; they are checked all the same.
 */
export async function saveMissions(tx: Tx, changes: readonly MissionChange[]): Promise<void> {
  if (changes.length === 0) return;
  const touched = await tx.run(
    `UPDATE mission.mission AS m
        SET state = c.state, revision = c.revision, edition = c.edition, execute_at = c.execute_at,
            prepare_at = c.prepare_at, deadline = c.deadline, prepare_count = c.prepare_count, attempt = c.attempt,
            undo_count = c.undo_count, since = c.since, started_at = c.started_at, paused_ms = c.paused_ms,
            heard_at = c.heard_at, flown_at = c.flown_at, resting_since = c.resting_since, next_action_at = c.next_action_at, cause_code = c.cause_code,
            cause_dock_result = c.cause_dock_result,
            prepared_fingerprint = coalesce(c.prepared_fingerprint, m.prepared_fingerprint),
            progress = coalesce(c.progress, m.progress), verdicts = m.verdicts || coalesce(c.verdicts, '{}'),
            approval = coalesce(c.approval, m.approval), updated_at = c.updated_at
       FROM jsonb_to_recordset($1::jsonb) AS c (
              id uuid, old_revision integer, state text, revision integer, edition integer, execute_at timestamptz,
              prepare_at timestamptz, deadline timestamptz, prepare_count integer, attempt integer, undo_count integer,
              since timestamptz, started_at timestamptz, paused_ms bigint, heard_at timestamptz,
              flown_at timestamptz, resting_since timestamptz,
              next_action_at timestamptz, cause_code text, cause_dock_result integer, prepared_fingerprint text,
              progress jsonb, verdicts jsonb, approval jsonb,
              updated_at timestamptz)
      WHERE m.id = c.id AND m.revision = c.old_revision`,
    [JSON.stringify(changes.map(changedColumns))],
  );
  if (touched !== changes.length) throw new Error('a mission was changed under our lock');
}

function changedColumns({ before, after, preparedFingerprint, progress, verdicts, approval }: MissionChange) {
  return {
    id: before.id,
    old_revision: before.revision,
    state: after.state,
    revision: after.revision,
    edition: after.edition,
    execute_at: dateOf(after.executeAtMs),
    prepare_at: new Date(after.prepareAtMs),
    deadline: dateOf(after.deadlineMs),
    prepare_count: after.prepareCount,
    attempt: after.attempt,
    undo_count: after.undoCount,
    since: new Date(after.sinceMs),
    started_at: dateOf(after.startedAtMs),
    paused_ms: after.pausedMs,
    heard_at: dateOf(after.heardAtMs),
    flown_at: dateOf(after.flownAtMs),
    resting_since: dateOf(after.restingSinceMs),
    next_action_at: dateOf(after.nextActionAtMs),
    cause_code: after.cause?.code ?? null,
    cause_dock_result: after.cause?.dockResult ?? null,
    prepared_fingerprint: preparedFingerprint,
    progress,
    verdicts,
    approval,
    updated_at: before.now,
  };
}

export interface KeptDock extends Pick<DockRecord, 'sn' | 'model' | 'protocolGeneration'> {
  readonly organisationId: string;
}

/**
 * Locks docks, before any of their missions: planning, claiming and exporting logs take turns. They are kept as
 * fleet-service describes them now; they may never have flown a mission of ours. Two may do so at once: a conflict with
 * either key of the table is none.
 */
export async function keepDocks(tx: Tx, docks: readonly KeptDock[]): Promise<void> {
  if (docks.length === 0) return;
  const described = JSON.stringify(
    docks.map(({ sn, organisationId, model, protocolGeneration }) => ({
      ...{ sn, organisation_id: organisationId, model, protocol_generation: protocolGeneration },
    })),
  );
  // Sent together, and worked off in this order.
  await Promise.all([
    tx.run(
      `INSERT INTO mission.dock (sn, organisation_id, model, protocol_generation)
       SELECT DISTINCT ON (sn) sn, organisation_id, model, protocol_generation FROM ${DESCRIBED} ORDER BY sn
       ON CONFLICT DO NOTHING`,
      [described],
    ),
    tx.run(
      'SELECT 1 FROM mission.dock WHERE sn IN (SELECT sn FROM jsonb_to_recordset($1::jsonb) AS d (sn text)) ORDER BY sn FOR NO KEY UPDATE',
      [described],
    ),
    tx.run(
      `UPDATE mission.dock AS d SET model = n.model, protocol_generation = n.protocol_generation FROM ${DESCRIBED}
        WHERE (d.sn, d.organisation_id) = (n.sn, n.organisation_id)
          AND (d.model, d.protocol_generation) <> (n.model, n.protocol_generation)`,
      [described],
    ),
  ]);
}

/** Locks a dock, where it is known. */
export async function lockDock(tx: Tx, dockSn: string): Promise<void> {
  await tx.run('SELECT 1 FROM mission.dock WHERE sn = $1 FOR NO KEY UPDATE', [dockSn]);
}

const DESCRIBED =
  'jsonb_to_recordset($1::jsonb) AS n (sn text, organisation_id uuid, model text, protocol_generation text)';

/** A mission whose end nobody knows. */
export interface UnresolvedMission {
  readonly id: string;
  /** Its dock was seen at rest with the aircraft inside, and has said nothing to the contrary since. */
  readonly seenOver: boolean;
}

/** The unresolved mission of a dock, of several the one that says most; null when there is none. */
export const unresolvedOn = (dockSn: string): string => `(
  SELECT jsonb_build_object('id', u.id, 'seenOver', u.seen_over) FROM (
    SELECT o.id, o.cause_code = 'seen_over' AND o.contradicted_at IS NULL AS seen_over FROM mission.mission o
     WHERE o.dock_sn = ${dockSn} AND o.state = 'outcome_unknown' AND o.resolution IS NULL
     ORDER BY seen_over LIMIT 1) u)`;

/** Their docks say that they fly on after their end. */
export async function contradictEnds(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.run(
    `UPDATE mission.mission SET contradicted_at = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = ANY($1::uuid[]) AND state = 'outcome_unknown' AND contradicted_at IS NULL`,
    [ids],
  );
}

/** What else is true of the docks of missions that are to be claimed. All their docks are locked. */
export interface ClaimGuard {
  readonly id: string;
  /** Another mission that flies on the dock. */
  readonly other_flight: string | null;
  /** A mission of the dock that ended in a way that nobody knows. */
  readonly unresolved: UnresolvedMission | null;
  readonly exports_logs: boolean;
  /** The database was restored since this service last looked: it may not know of starts that were sent. */
  readonly restored: boolean;
  /** fleet-service may cut the dock off any moment, or has. */
  readonly cut_off: boolean;
  /** Nobody has approved the plan as it is. */
  readonly unapproved: boolean;
  /** Another mission that holds the dock now, and has not begun. */
  readonly held_by: string | null;
  /** Another mission that the dock was told of, and did not forget for certain. */
  readonly other_told: boolean;
  /** Of this plan: when its first prepare was decided, ms since the epoch, and when the dock accepted one. */
  readonly prepared_from_ms: number | null;
  readonly prepared_at_ms: number | null;
}

export async function readClaimGuards(
  tx: { query: Tx['query'] },
  ids: readonly string[],
): Promise<ReadonlyMap<string, ClaimGuard>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<ClaimGuard>(
    `SELECT m.id,
            (SELECT o.id FROM mission.mission o
              WHERE o.dock_sn = m.dock_sn AND o.id <> m.id AND o.state IN ('starting', 'executing', 'paused') LIMIT 1) AS other_flight,
            ${unresolvedOn('m.dock_sn')} AS unresolved,
            EXISTS (SELECT 1 FROM mission.dock_reservation r
                     WHERE r.dock_sn = m.dock_sn AND r.holder_kind = 'log_upload' AND r.during @> clock_timestamp()) AS exports_logs,
            (SELECT o.origin <> mission.current_origin() FROM mission.database_origin o) IS TRUE AS restored,
            (SELECT d.cut_off_until > clock_timestamp() FROM mission.dock d WHERE d.sn = m.dock_sn) IS TRUE AS cut_off,
            (m.approval IS NOT NULL AND (m.approval->>'givenEdition')::integer IS DISTINCT FROM m.edition) AS unapproved,
            (SELECT r.holder_id FROM mission.dock_reservation r
              WHERE r.dock_sn = m.dock_sn AND r.holder_kind = 'mission' AND r.holder_id <> m.id
                AND r.during @> clock_timestamp() LIMIT 1) AS held_by,
            EXISTS (SELECT 1 FROM mission.mission o
                     WHERE o.dock_sn = m.dock_sn AND o.id <> m.id
                       AND (o.state IN ('preparing', 'waiting_ready', 'prepared', 'canceling')
                            OR EXISTS (SELECT 1 FROM mission.dock_call u
                                        WHERE u.mission_id = o.id AND u.method = 'flighttask_undo'
                                          AND u.next_attempt_at IS NOT NULL))) AS other_told,
            p.prepared_from_ms, p.prepared_at_ms
       FROM mission.mission m
       LEFT JOIN LATERAL (
         SELECT (extract(epoch FROM min(c.claimed_at)) * 1000)::float8 AS prepared_from_ms,
                (extract(epoch FROM min(c.reply_at) FILTER (WHERE c.reply_result = 0)) * 1000)::float8 AS prepared_at_ms
           FROM mission.dock_call c
          WHERE c.mission_id = m.id AND c.method = 'flighttask_prepare' AND c.edition = m.edition) p ON true
      WHERE m.id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

export interface NewCall {
  readonly tid: string;
  readonly missionId: string;
  readonly dockSn: string;
  readonly method: string;
  readonly attempt: number;
  readonly edition: number;
  readonly notAfterMs: number;
  /** A person's command in flight. */
  readonly requestedBy: string | null;
  readonly reason: string | null;
  /** Repeated by itself until it is answered; only for what is harmless to repeat. */
  readonly repeats: boolean;
  /** A start: it may be withdrawn until it is handed to the ingress. */
  readonly starts: boolean;
}

/** Between two sends of a command that repeats by itself. */
const REPEAT = "interval '30 seconds'";
const REPEAT_LIMIT = 3;

/** Records commands before they are sent. A second start of one attempt cannot be recorded. */
export async function recordCalls(tx: Tx, calls: readonly NewCall[]): Promise<void> {
  if (calls.length === 0) return;
  await tx.run(
    `INSERT INTO mission.dock_call
       (tid, mission_id, dock_sn, method, attempt, edition, not_after, requested_by, reason, send_count, next_attempt_at,
        hand_state)
     SELECT tid, mission_id, dock_sn, method, attempt, edition, not_after, requested_by, reason, 1,
            CASE WHEN repeats THEN clock_timestamp() + ${REPEAT} END, CASE WHEN starts THEN 'waiting' END
       FROM jsonb_to_recordset($1::jsonb) AS c (tid uuid, mission_id uuid, dock_sn text, method text, attempt integer,
              edition integer, not_after timestamptz, requested_by text, reason text, repeats boolean, starts boolean)`,
    [
      JSON.stringify(
        calls.map((call) => ({
          tid: call.tid,
          mission_id: call.missionId,
          dock_sn: call.dockSn,
          method: call.method,
          attempt: call.attempt,
          edition: call.edition,
          not_after: new Date(call.notAfterMs),
          requested_by: call.requestedBy,
          reason: call.reason,
          repeats: call.repeats,
          starts: call.starts,
        })),
      ),
    ],
  );
}

/**
 * Marks starts as handed to the ingress, which is asked right after the commit. Returns those that may leave; the others
 * were withdrawn. Locks calls only, in the order of their ids.
 */
export async function handStarts(tx: Tx, tids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ tid: string }>(
    `UPDATE mission.dock_call AS c SET hand_state = 'handed'
       FROM (SELECT k.tid FROM mission.dock_call k WHERE k.tid = ANY($1::uuid[]) AND k.hand_state = 'waiting'
              ORDER BY k.tid FOR NO KEY UPDATE) AS k
      WHERE c.tid = k.tid RETURNING c.tid`,
    [tids],
  );
  return new Set(rows.map(({ tid }) => tid));
}

/** Withdraws the start of an attempt. False: it was handed over, or nobody can say. The mission is locked. */
export async function withdrawStart(tx: Tx, missionId: string, attempt: number): Promise<boolean> {
  const touched = await tx.run(
    `UPDATE mission.dock_call SET hand_state = 'withdrawn'
      WHERE mission_id = $1 AND attempt = $2 AND method IN ('flighttask_execute', 'flighttask_create')
        AND hand_state = 'waiting'`,
    [missionId, attempt],
  );
  return touched > 0;
}

/** Attempts of missions whose start is still on its way to the ingress or the broker: what became of it is not known. */
export async function findStartsOnTheirWay(
  through: { readonly query: Tx['query'] },
  missionIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await through.query<{ mission_id: string; attempt: number }>(
    `SELECT c.mission_id, max(c.attempt) AS attempt FROM mission.dock_call c
      WHERE c.mission_id = ANY($1::uuid[]) AND c.method IN ('flighttask_execute', 'flighttask_create')
        AND c.send_outcome IS NULL
      GROUP BY c.mission_id`,
    [missionIds],
  );
  return new Map(rows.map(({ mission_id, attempt }) => [mission_id, attempt]));
}

/** A dock that is given a flight anew must not be told to forget it by an old undo. */
export async function stopRepeats(tx: Tx, missionIds: readonly string[]): Promise<void> {
  if (missionIds.length === 0) return;
  await tx.run(
    `UPDATE mission.dock_call SET next_attempt_at = NULL
      WHERE mission_id = ANY($1::uuid[]) AND next_attempt_at IS NOT NULL`,
    [missionIds],
  );
}

export interface CallRow {
  readonly tid: string;
  readonly mission_id: string;
  readonly dock_sn: string;
  readonly method: string;
  readonly attempt: number;
  readonly edition: number;
  readonly reply_at: Date | null;
  /** Of the first reply. */
  readonly reply_result: number | null;
}

/** The commands that replies answer. Another dock's reply to one is no reply: the caller compares `dock_sn`. */
export function findCalls(tx: Tx, tids: readonly string[]): Promise<CallRow[]> {
  if (tids.length === 0) return Promise.resolve([]);
  return tx.query<CallRow>(
    `SELECT tid, mission_id, dock_sn, method, attempt, edition, reply_at, reply_result FROM mission.dock_call
      WHERE tid = ANY($1::uuid[])`,
    [tids],
  );
}

/** What the dock answered to the start of this attempt; null while it has not. */
export async function findStartReply(tx: Tx, missionId: string, attempt: number): Promise<number | null> {
  const call = await tx.one<{ reply_result: number | null }>(
    `SELECT reply_result FROM mission.dock_call
      WHERE mission_id = $1 AND attempt = $2 AND method IN ('flighttask_execute', 'flighttask_create')`,
    [missionId, attempt],
  );
  return call?.reply_result ?? null;
}

export interface Reply {
  readonly tid: string;
  readonly result: number;
  /** When the ingress had it. */
  readonly receivedAtMs: number;
}

/** Keeps the first reply to each command. Returns the tids of those that had none before. */
export async function recordReplies(tx: Tx, replies: readonly Reply[]): Promise<ReadonlySet<string>> {
  if (replies.length === 0) return new Set();
  const rows = await tx.query<{ tid: string }>(
    `UPDATE mission.dock_call AS c
        SET reply_result = r.result, reply_at = least(r.at, clock_timestamp()), next_attempt_at = NULL
       FROM (SELECT k.tid, r.result, to_timestamp(r."receivedAtMs" / 1000) AS at
               FROM jsonb_to_recordset($1::jsonb) AS r (tid uuid, result integer, "receivedAtMs" float8)
               JOIN mission.dock_call k ON k.tid = r.tid
              WHERE k.reply_at IS NULL ORDER BY k.tid FOR NO KEY UPDATE OF k) AS r
      WHERE c.tid = r.tid RETURNING c.tid`,
    [JSON.stringify(replies)],
  );
  return new Set(rows.map(({ tid }) => tid));
}

export interface SendOutcome {
  readonly tid: string;
  readonly outcome: string;
  readonly reason: string | null;
}

/** What became of commands. Locks calls only, in the order of their ids. */
export async function recordOutcomes(tx: Tx, outcomes: readonly SendOutcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  await tx.run(
    `UPDATE mission.dock_call AS c
        SET send_outcome = o.outcome, send_reason = o.reason, sent_at = clock_timestamp()
       FROM (SELECT k.tid, o.outcome, o.reason
               FROM jsonb_to_recordset($1::jsonb) AS o (tid uuid, outcome text, reason text)
               JOIN mission.dock_call k ON k.tid = o.tid ORDER BY k.tid FOR NO KEY UPDATE OF k) AS o
      WHERE c.tid = o.tid`,
    [JSON.stringify(outcomes)],
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
      RETURNING c.tid, c.mission_id, c.dock_sn, c.method, c.attempt, c.edition, c.reply_at`,
    [limit],
  );
}
