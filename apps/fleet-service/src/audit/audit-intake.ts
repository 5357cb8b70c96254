import { AuditTrail, type AuditEntry, type KnownBearer } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type Databases, type Prune, type Tx, inTransaction } from '@aerie/persistence';
import { BY_KEY, BY_SESSION } from '../finders.js';
import { appendToChains } from './audit-chain.js';

/** A request that has not ended by then has died with its process: nobody knows how it ended. */
const LONGEST_REQUEST_S = 120;
const BATCH = 200;

interface IntakeRow {
  readonly id: string;
  readonly entry: AuditEntry;
  readonly status: number | null;
}

/**
 * Takes entries before a request is handled and puts them into the chains once it has ended. An entry is in the database
 * before anything is done, so a process that dies loses none.
 */
export class AuditIntake extends AuditTrail {
  constructor(
    private readonly databases: Databases,
    private readonly logger: Logger,
  ) {
    super();
  }

  override async begin(entry: AuditEntry): Promise<void> {
    await this.databases.api
      .of(entry.organisationId)
      .run('INSERT INTO fleet.audit_intake (id, entry) VALUES ($1, $2)', [...[entry.id, JSON.stringify(entry)]]);
  }

  override async end({ id, organisationId }: AuditEntry, status: number | null): Promise<void> {
    await this.databases.api
      .of(organisationId)
      .run('UPDATE fleet.audit_intake SET ended_at = clock_timestamp(), status = $2 WHERE id = $1', [id, status])
      .catch((error: unknown) =>
        this.logger.warn(
          { err: error, id, status },
          'failed to note how a request ended, its audit record will lack it',
        ),
      );
  }

  override async note(entry: AuditEntry, status: number): Promise<void> {
    await this.databases.api
      .of(entry.organisationId)
      .run('INSERT INTO fleet.audit_intake (id, entry, ended_at, status) VALUES ($1, $2, clock_timestamp(), $3)', [
        entry.id,
        JSON.stringify(entry),
        status,
      ]);
  }

  override async ownerOf(bearer: string): Promise<KnownBearer | null> {
    const [prefix, id] = bearer.split('_');
    if (id === undefined || !isUuid(id)) return null;
    const isSession = prefix === 'aeries';
    const own = this.databases.api.ofWhom(isSession ? BY_SESSION : BY_KEY, id);
    const [row] = await own.query<{ organisation_id: string; by: string }>(
      isSession
        ? `SELECT organisation_id, 'person:' || person_id AS by FROM fleet.session WHERE id = $1`
        : `SELECT organisation_id, 'key:' || id AS by FROM fleet.api_key WHERE id = $1`,
      [id],
    );
    return row === undefined ? null : { organisationId: row.organisation_id, by: row.by };
  }

  /** Puts what has ended into the chains. Every replica does so; the rows are shared out by the database. */
  async keep(): Promise<void> {
    let kept: number;
    do kept = await inTransaction(this.databases.engine, keepBatch);
    while (kept === BATCH);
  }
}

async function keepBatch(tx: Tx): Promise<number> {
  const rows = await tx.query<IntakeRow>(
    `WITH taken AS (
       DELETE FROM fleet.audit_intake WHERE id IN (
         SELECT id FROM fleet.audit_intake
          WHERE ended_at IS NOT NULL OR began_at < clock_timestamp() - make_interval(secs => $1)
          ORDER BY began_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING id, entry, status, began_at)
     SELECT id, entry, status FROM taken ORDER BY began_at, id`,
    [LONGEST_REQUEST_S, BATCH],
  );
  await appendToChains(
    tx,
    rows.map(({ entry, status }) => ({ ...entry, status })),
  );
  return rows.length;
}

/** Old months, whole. */
export const auditPrune = (months: number): Prune => ({
  name: 'audit_record',
  async batch(tx) {
    const row = await tx.one<{ gone: string }>('SELECT fleet.prune_audit($1) AS gone', [months]);
    const gone = Number(row?.gone);
    return { rows: { audit_record: gone }, more: gone > 0 };
  },
});
