import { DEFAULT_TIMING, type MissionKind, type MissionState } from '@aerie/mission-core';
import { type DatabaseOf, type Tx, inTransaction } from '@aerie/persistence';
import { AdvanceMissions } from '../advance-mission.js';
import { lockMissions } from '../store/flight-critical.js';

/** Missions of one transaction: each is a decision with its rows, and a statement may take two seconds. */
const BATCH = 100;

export interface RestoreOptions {
  /** Until when commands may have left. Null: a start may have left for each mission, whatever its plan says. */
  readonly stoppedAt: Date | null;
}

/** A mission that is not started any more, or whose start is only watched from now on. */
export interface SettledMission {
  readonly id: string;
  readonly dockSn: string;
  readonly from: MissionState;
  readonly to: MissionState;
}

/** A mission that has not started in the restored database. */
export interface PreviewedMission {
  readonly id: string;
  readonly dockSn: string;
  readonly kind: MissionKind;
  readonly state: MissionState;
  readonly executeAt: Date | null;
  /** Nothing of it leaves later. */
  readonly until: Date | null;
  readonly mayHaveStarted: boolean;
}

/**
 * After a restore the database does not know of executes that were sent since its backup. Each mission whose execute may
 * have left ends as `outcome_unknown` with the cause `restored`, before anything is claimed.
 *
 * INVARIANTS: idempotent, and safe beside other replicas: the row of `database_origin` is the lock. A mission that was not
 * due to start before the stop is not touched. The origin is written with the last batch, so a crash repeats the rest.
 */
export class SettleRestore {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /** When the database is not the one that was seen last, settles it as of now. Returns what changed; empty if nothing did. */
  async ifRestored(): Promise<SettledMission[]> {
    const restoredAt = await inTransaction(this.dataSource, findRestore);
    return restoredAt === null ? [] : this.settle({ stoppedAt: restoredAt });
  }

  /** Settles a restore that a person knows of. */
  async settle({ stoppedAt }: RestoreOptions): Promise<SettledMission[]> {
    const settled: SettledMission[] = [];
    let after: string | null = null;
    do {
      const afterId: string | null = after;
      const batch: Batch = await inTransaction(this.dataSource, (tx) => settleBatch(tx, stoppedAt, afterId));
      settled.push(...batch.settled);
      after = batch.lastId;
    } while (after !== null);
    return settled;
  }

  /** What has not started, soonest first, and whether it may have been started; changes nothing. */
  preview({ stoppedAt }: RestoreOptions): Promise<PreviewedMission[]> {
    return this.dataSource.query(
      `SELECT m.id, m.dock_sn AS "dockSn", m.kind, m.state, m.execute_at AS "executeAt",
              coalesce(m.deadline, m.ready_until) AS until, ${MAY_HAVE_STARTED} AS "mayHaveStarted"
         FROM mission.mission m
        WHERE m.state = ANY($3::text[]) ORDER BY coalesce(m.execute_at, m.deadline, m.ready_until), m.id`,
      [stoppedAt, DEFAULT_TIMING.executeLeadMs, BEFORE_THE_FLIGHT],
    );
  }
}

const BEFORE_THE_FLIGHT: readonly MissionState[] = [
  ...(['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting'] as const),
];

/**
 * Wider than the rule of the core, which decides: $1 the stop, $2 the longest lead that the protocol knows. A mission of the
 * future is thus not locked, and gets no line in its timeline.
 */
const MAY_HAVE_STARTED = `($1::timestamptz IS NULL OR m.state = 'starting'
  OR CASE m.kind WHEN 'timed' THEN m.execute_at - $2::float8 * interval '1 millisecond' <= $1
                 WHEN 'conditional' THEN coalesce(m.ready_from <= $1, true)
                 ELSE true END)`;

/** Since when a restore is known that is not settled yet; null: it is the database that was seen last, or a new one. */
async function findRestore(tx: Tx): Promise<Date | null> {
  const seen = await tx.one<{ same: boolean }>(
    'SELECT origin = mission.current_origin() AS same FROM mission.database_origin',
  );
  if (seen?.same === true) return null;
  if (seen === undefined) {
    await tx.run(
      'INSERT INTO mission.database_origin (origin) VALUES (mission.current_origin()) ON CONFLICT (only_row) DO NOTHING',
    );
  }
  const row = await tx.one<{ restored_at: Date | null }>(
    `UPDATE mission.database_origin SET restored_at = coalesce(restored_at, clock_timestamp())
      WHERE origin <> mission.current_origin() RETURNING restored_at`,
  );
  return row?.restored_at ?? null;
}

interface Batch {
  readonly settled: readonly SettledMission[];
  /** Null: there are no more. */
  readonly lastId: string | null;
}

async function settleBatch(tx: Tx, stoppedAt: Date | null, afterId: string | null): Promise<Batch> {
  await tx.query('SELECT 1 FROM mission.database_origin FOR UPDATE');
  const ids = await tx.query<{ id: string }>(
    `SELECT m.id FROM mission.mission m
      WHERE m.state = ANY($3::text[]) AND ${MAY_HAVE_STARTED} AND ($4::uuid IS NULL OR m.id > $4::uuid)
      ORDER BY m.id LIMIT ${BATCH}`,
    [stoppedAt, DEFAULT_TIMING.executeLeadMs, BEFORE_THE_FLIGHT, afterId],
  );
  const rows = await lockMissions(
    tx,
    ids.map(({ id }) => id),
  );
  const unit = new AdvanceMissions(tx, rows);
  const settled: SettledMission[] = [];
  for (const before of rows) {
    // A start that is watched already is not told twice.
    if (before.state === 'starting' && before.cause_code === 'restored') continue;
    const { decision, mission } = await unit.advance(before.id, {
      type: 'restored',
      stoppedAtMs: stoppedAt?.getTime() ?? null,
    });
    if (decision.kind === 'refused') continue;
    settled.push({ id: before.id, dockSn: before.dock_sn, from: before.state, to: mission.state });
  }
  await unit.flush();
  const lastId = ids.length < BATCH ? null : (ids.at(-1)?.id ?? null);
  if (lastId === null) {
    await tx.run(
      `INSERT INTO mission.database_origin (origin) VALUES (mission.current_origin())
       ON CONFLICT (only_row) DO UPDATE SET origin = excluded.origin, restored_at = NULL, settled_at = clock_timestamp()`,
    );
  }
  return { settled, lastId };
}
