import { randomUUID } from 'node:crypto';
import type { Logger } from '@aerie/observability';
import { type ApiDatabase, type Databases, type Tx, inTransaction } from '@aerie/persistence';
import { appendToChains } from './audit-chain.js';
import { type AuditEntry, AuditTrail, type KnownBearer } from './audit-trail.js';

/** A request that has not ended by then has died with its process: nobody knows how it ended. */
const LONGEST_REQUEST_S = 360;
const BATCH = 200;

interface IntakeRow {
  readonly entry: AuditEntry;
  readonly status: number | null;
}

/** An entry of a request that has ended, and how. */
export interface EndedEntry {
  readonly entry: AuditEntry;
  readonly status: number | null;
}

/** Writes them with one statement, so that they stand or fall with what the transaction does. One that is there already stays. */
export async function writeEnded(
  through: Pick<Tx, 'run'>,
  schema: string,
  ended: readonly EndedEntry[],
  idOf = ({ id }: AuditEntry): string => id,
): Promise<void> {
  await through.run(
    `INSERT INTO ${schema}.audit_intake (id, entry, ended_at, status)
     SELECT id, entry, clock_timestamp(), status FROM unnest($1::uuid[], $2::jsonb[], $3::integer[]) AS e (id, entry, status)
     ON CONFLICT DO NOTHING`,
    [
      ended.map(({ entry }) => idOf(entry)),
      ended.map(({ entry }) => JSON.stringify(entry)),
      ended.map(({ status }) => status),
    ],
  );
}

/**
 * Takes entries before a request is handled, or with what it changes, and puts them into the chains once it has ended. Rows
 * of the intake are added and never changed: how a request ended is a row of its own.
 */
export class AuditIntake extends AuditTrail {
  constructor(
    private readonly databases: Databases,
    private readonly schema: string,
    private readonly logger: Logger,
    /** Whose a bearer is that is refused. None: nobody can say it here. */
    private readonly whose: (bearer: string) => Promise<KnownBearer | null> = () => Promise.resolve(null),
  ) {
    super();
  }

  override async begin(entry: AuditEntry): Promise<void> {
    await this.rowsOf(entry).run(`INSERT INTO ${this.schema}.audit_intake (id, entry) VALUES ($1, $2)`, [
      ...[entry.id, JSON.stringify(entry)],
    ]);
  }

  override async end(entry: AuditEntry, status: number | null): Promise<void> {
    await this.unlessItFails(
      writeEnded(this.rowsOf(entry), this.schema, [{ entry, status }], () => randomUUID()),
      entry,
    );
  }

  override async note(entry: AuditEntry, status: number): Promise<void> {
    await writeEnded(this.rowsOf(entry), this.schema, [{ entry, status }]);
  }

  override async noteAll(ended: readonly EndedEntry[]): Promise<void> {
    const [first] = ended;
    if (first === undefined) return;
    await this.unlessItFails(writeEnded(this.rowsOf(first.entry), this.schema, ended), first.entry);
  }

  override ownerOf(bearer: string): Promise<KnownBearer | null> {
    return this.whose(bearer);
  }

  /** Puts what has ended into the chains. Every replica does so; the rows are shared out by the database. */
  async keep(): Promise<void> {
    let kept: number;
    do kept = await inTransaction(this.databases.engine, (tx) => keepBatch(tx, this.schema));
    while (kept === BATCH);
  }

  private rowsOf({ organisationId }: AuditEntry): ReturnType<ApiDatabase['of']> {
    return this.databases.api.of(organisationId);
  }

  private async unlessItFails(written: Promise<void>, { id }: AuditEntry): Promise<void> {
    await written.catch((error: unknown) =>
      this.logger.warn({ err: error, id }, 'failed to note how a request ended, its audit record will lack it'),
    );
  }
}

async function keepBatch(tx: Tx, schema: string): Promise<number> {
  // What has ended takes its beginning along.
  const rows = await tx.query<IntakeRow>(
    `WITH ended AS (
       DELETE FROM ${schema}.audit_intake WHERE id IN (
         SELECT id FROM ${schema}.audit_intake
          WHERE ended_at IS NOT NULL OR began_at < clock_timestamp() - make_interval(secs => $1)
          ORDER BY began_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING id, entry, status, began_at, ended_at),
     begun AS (
       DELETE FROM ${schema}.audit_intake
        WHERE ended_at IS NULL AND id IN (SELECT (entry->>'id')::uuid FROM ended WHERE ended_at IS NOT NULL))
     SELECT entry, status FROM ended e
      WHERE ended_at IS NOT NULL OR NOT EXISTS (
        SELECT FROM ended o WHERE o.ended_at IS NOT NULL AND o.entry->>'id' = e.entry->>'id')
      ORDER BY began_at, id`,
    [LONGEST_REQUEST_S, BATCH],
  );
  await appendToChains(
    tx,
    schema,
    rows.map(({ entry, status }) => ({ ...entry, status })),
  );
  return rows.length;
}
