// The statements of cut-offs. Raw SQL; each decision is made on the database's clock.
import { factSubject } from '@aerie/bus-contract';
import { type ApiDatabase, type DatabaseOf, type Reach, type Tx, inTransaction, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';

/** Rows kept for one dock: a dock that is cut off again and again must not fill the table. */
export const MAX_CUT_OFFS = 100;
/** How often a dock was cut off within this time says how long the next time is. */
const REPEATED_WITHIN = `interval '24 hours'`;
/**
 * Who acts for a row has it for so long. An act is one question and one command to the broker, 20 s at most: after that
 * nobody acts for an older decision any more.
 */
const LEASE = `interval '60 seconds'`;
/** Rows that one look takes. */
const BATCH = 20;

export type EndedBy = 'time' | 'person' | 'calm' | 'retired';

/** A row that this process acts for until its lease ends. */
export interface LeasedCutOff {
  readonly id: string;
  readonly dock_sn: string;
  readonly organisation_id: string;
  readonly reason: string;
  readonly asked_at: Date | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly ended_at: Date | null;
  readonly settled_at: Date | null;
  readonly revision: number;
  readonly now: Date;
  readonly reported_ago_ms: number;
  /** Earlier ones of this dock in the last day. */
  readonly earlier: number;
  readonly model: 'dock1' | 'dock2' | 'dock3';
  readonly protocol_generation: string;
}

/** What is shown of a cut-off. */
export interface ShownCutOff {
  readonly since: Date;
  readonly until: Date | null;
  readonly reason: string;
  readonly ended_at: Date | null;
  readonly ended_by: EndedBy | null;
}

/** What the engine does with cut-offs, of docks of all organisations. */
export class CutOffStore {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /**
   * Notes that a dock floods. False: it is no dock in service, it is cut off, or what was measured began before it was
   * let in the last time.
   */
  async report(dockSn: string, reason: string, sinceMs: number): Promise<boolean> {
    return inTransaction(this.dataSource, async (tx) => {
      await prune(tx, dockSn);
      const noted = await tx.run(
        `INSERT INTO fleet.cut_off AS c (organisation_id, dock_sn, reason, reported_at, next_action_at)
         SELECT d.organisation_id, d.sn, $2, clock_timestamp(), clock_timestamp() FROM fleet.dock d
          WHERE d.sn = $1 AND d.provisioned_at IS NOT NULL AND d.retired_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM fleet.cut_off e
                             WHERE e.dock_sn = d.sn AND e.since IS NOT NULL AND e.ended_at >= to_timestamp($3::float8 / 1000.0))
         ON CONFLICT (dock_sn) WHERE closed_at IS NULL
         DO UPDATE SET reported_at = excluded.reported_at, reason = excluded.reason
          WHERE c.since IS NULL AND c.ended_at IS NULL`,
        [dockSn, reason, sinceMs],
      );
      return noted > 0;
    });
  }

  /** Takes what is due and nobody else acts for. */
  async leaseDue(): Promise<readonly LeasedCutOff[]> {
    return inTransaction(this.dataSource, (tx) =>
      tx.query<LeasedCutOff>(
        `WITH due AS (
           SELECT id FROM fleet.cut_off WHERE next_action_at <= statement_timestamp()
            ORDER BY next_action_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
         UPDATE fleet.cut_off c SET revision = c.revision + 1, next_action_at = clock_timestamp() + ${LEASE}
           FROM due, fleet.dock d
          WHERE c.id = due.id AND d.sn = c.dock_sn
         RETURNING c.id, c.dock_sn, c.organisation_id, c.reason, c.asked_at, c.since, c.until, c.ended_at, c.settled_at,
           c.revision, clock_timestamp() AS now,
           (extract(epoch FROM clock_timestamp() - c.reported_at) * 1000)::float8 AS reported_ago_ms,
           (SELECT count(*)::int FROM fleet.cut_off e WHERE e.dock_sn = c.dock_sn AND e.id <> c.id
               AND e.since > clock_timestamp() - ${REPEATED_WITHIN}) AS earlier,
           d.model, d.protocol_generation`,
      ),
    );
  }

  /** Before mission-service is asked: what it may hold back from now on must be ended, whatever becomes of this process. */
  async noteAsked(row: LeasedCutOff, until: Date): Promise<boolean> {
    return this.change(row, 'asked_at = coalesce(asked_at, clock_timestamp()), until = $3', [until]);
  }

  /** mission-service has said yes. The fact leaves with it; the broker comes next, at once. */
  begin(row: LeasedCutOff, until: Date): Promise<boolean> {
    return inTransaction(this.dataSource, async (tx) => {
      const begun = await tx.one<{ since: Date }>(
        `UPDATE fleet.cut_off SET since = clock_timestamp(), until = $3, next_action_at = clock_timestamp()
          WHERE id = $1 AND revision = $2 AND ended_at IS NULL AND since IS NULL RETURNING since`,
        [row.id, row.revision, until],
      );
      if (begun === undefined) return false;
      const { dock_sn: sn, reason } = row;
      const payload = { sn, since: begun.since.toISOString(), until: until.toISOString(), reason };
      await writeOutbox(tx, SCHEMA, [{ subject: factSubject('fleet', row.organisation_id, 'dockCutOff'), payload }]);
      return true;
    });
  }

  /** The broker has done it: the next thing is the return. False: it was decided otherwise meanwhile. */
  settle(row: LeasedCutOff): Promise<boolean> {
    return this.change(row, 'settled_at = clock_timestamp(), next_action_at = until');
  }

  close(row: LeasedCutOff): Promise<boolean> {
    return this.change(row, 'settled_at = clock_timestamp(), closed_at = clock_timestamp(), next_action_at = NULL');
  }

  retry(row: LeasedCutOff, afterMs: number): Promise<boolean> {
    return this.change(row, `next_action_at = clock_timestamp() + $3::float8 * interval '1 millisecond'`, [afterMs]);
  }

  /**
   * Another decision was made while this one was done at the broker, and its command may have arrived first: the newest
   * row of the dock is acted for once more.
   */
  async actAgain(row: LeasedCutOff): Promise<void> {
    await inTransaction(this.dataSource, async (tx) => {
      await tx.run(
        `UPDATE fleet.cut_off SET closed_at = NULL, settled_at = NULL, next_action_at = clock_timestamp(),
                revision = revision + 1
          WHERE id = (SELECT max(id) FROM fleet.cut_off WHERE dock_sn = $1)`,
        [row.dock_sn],
      );
    });
  }

  /** Its time is over, or the flood was before anything was cut off. */
  end(row: LeasedCutOff, by: EndedBy): Promise<boolean> {
    return inTransaction(this.dataSource, async (tx) => {
      return endOpen(tx, row.dock_sn, by, row.revision);
    });
  }

  private async change(row: LeasedCutOff, assignments: string, values: readonly unknown[] = []): Promise<boolean> {
    const [, changed] = await this.dataSource.query<[unknown, number]>(
      `UPDATE fleet.cut_off SET ${assignments} WHERE id = $1 AND revision = $2`,
      [row.id, row.revision, ...values],
    );
    return changed > 0;
  }
}

/** What people decide about the cut-offs of their docks. */
export class OwnCutOffs {
  constructor(private readonly database: ApiDatabase) {}

  /** Ends the cut-off of a dock at once. False: it is not cut off. */
  async endByPerson(reach: Reach, dockSn: string): Promise<boolean> {
    const { organisationId } = reach;
    return inTransaction(this.database.of(reach), async (tx) => {
      const open = await tx.one(
        'SELECT 1 FROM fleet.cut_off WHERE organisation_id = $1 AND dock_sn = $2 AND closed_at IS NULL AND since IS NOT NULL FOR UPDATE',
        [organisationId, dockSn],
      );
      return open !== undefined && endOpen(tx, dockSn, 'person', null);
    });
  }

  /** Keeps a dock out until a person ends it. False: it is not cut off, or its time is over and a flight may begin. */
  async keep(reach: Reach, dockSn: string): Promise<boolean> {
    const { organisationId } = reach;
    return inTransaction(this.database.of(reach), async (tx) => {
      const kept = await tx.run(
        `UPDATE fleet.cut_off SET until = NULL, settled_at = NULL, next_action_at = clock_timestamp(), revision = revision + 1
          WHERE organisation_id = $1 AND dock_sn = $2 AND since IS NOT NULL AND ended_at IS NULL AND until > clock_timestamp()`,
        [organisationId, dockSn],
      );
      if (kept > 0) return true;
      const known = await tx.one(
        'SELECT 1 FROM fleet.cut_off WHERE organisation_id = $1 AND dock_sn = $2 AND since IS NOT NULL AND ended_at IS NULL AND until IS NULL',
        [organisationId, dockSn],
      );
      return known !== undefined;
    });
  }

  /** The latest of a dock, newest first. */
  history(reach: Reach, dockSn: string): Promise<ShownCutOff[]> {
    return this.database.of(reach).query<ShownCutOff>(
      `SELECT since, until, reason, ended_at, ended_by FROM fleet.cut_off
        WHERE organisation_id = $1 AND dock_sn = $2 AND since IS NOT NULL ORDER BY id DESC LIMIT $3`,
      [reach.organisationId, dockSn, MAX_CUT_OFFS],
    );
  }
}

/** In the transaction that retires a dock: its user is gone, and mission-service is told. */
export const endOfRetired = (tx: Tx, dockSn: string): Promise<boolean> => endOpen(tx, dockSn, 'retired', null);

/** The broker may have a new user for the dock, which would be let in: it is told once more. */
export async function cutOffAgain(tx: Tx, dockSn: string): Promise<void> {
  await tx.run(
    `UPDATE fleet.cut_off SET settled_at = NULL, next_action_at = clock_timestamp(), revision = revision + 1
      WHERE dock_sn = $1 AND closed_at IS NULL AND since IS NOT NULL`,
    [dockSn],
  );
}

async function endOpen(tx: Tx, dockSn: string, by: EndedBy, revision: number | null): Promise<boolean> {
  const ended = await tx.one<{ organisation_id: string; since: Date | null; ended_at: Date; reason: string }>(
    `UPDATE fleet.cut_off SET ended_at = clock_timestamp(), ended_by = $2, settled_at = NULL,
            next_action_at = clock_timestamp(), revision = revision + 1
      WHERE dock_sn = $1 AND closed_at IS NULL AND ended_at IS NULL AND ($3::int IS NULL OR revision = $3)
     RETURNING organisation_id, since, ended_at, reason`,
    [dockSn, by, revision],
  );
  if (ended === undefined) return false;
  const { organisation_id, since, ended_at, reason } = ended;
  // Nobody was told of one that never began.
  if (since === null) return true;
  const payload = { sn: dockSn, since: since.toISOString(), endedAt: ended_at.toISOString(), endedBy: by, reason };
  await writeOutbox(tx, SCHEMA, [{ subject: factSubject('fleet', organisation_id, 'dockCutOffEnded'), payload }]);
  return true;
}

/** Those that are closed, but for the latest; and those that never began. */
async function prune(tx: Tx, dockSn: string): Promise<void> {
  await tx.run(
    `DELETE FROM fleet.cut_off WHERE dock_sn = $1 AND closed_at IS NOT NULL AND (since IS NULL OR id < (
       SELECT min(id) FROM (
         SELECT id FROM fleet.cut_off WHERE dock_sn = $1 AND since IS NOT NULL ORDER BY id DESC LIMIT $2) kept))`,
    [dockSn, MAX_CUT_OFFS],
  );
}
