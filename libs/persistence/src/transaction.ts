import { type OpenSpan, traced } from '@aerie/observability';
import type { QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import type { DatabaseOf } from './data-source.js';
import { CommitUnknownError, isRetryable, isStaleStatement } from './database-errors.js';
import { OpenTransaction, type Setting } from './open-transaction.js';
import { takeConnection } from './pool.js';
import { StatementNames } from './statement-names.js';

/**
 * The only way to talk to the database inside a transaction; the global data source would escape it. Statements that do
 * not need each other's results may be sent together, with Promise.all: they are worked off in that order.
 */
export class Tx {
  private readonly afterwards: (() => void)[] = [];

  constructor(
    private readonly send: (sql: string, parameters: readonly unknown[]) => Promise<QueryResult>,
    /** The pool of its connection. */
    readonly dataSource: DataSource,
  ) {}

  /** Runs `work` once the COMMIT was confirmed, and never if it was not. `work` must not throw. */
  afterCommit(work: () => void): void {
    this.afterwards.push(work);
  }

  /** For inTransaction alone. */
  committed(): void {
    for (const work of this.afterwards) work();
  }

  query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.read(sql, parameters, ({ rows }) => rows as Row[]);
  }

  /** Runs a statement and says how many rows it touched. */
  run(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    return this.read(sql, parameters, ({ rowCount }) => rowCount ?? 0);
  }

  one<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row | undefined> {
    return this.read(sql, parameters, ({ rows }) => rows[0] as Row | undefined);
  }

  private read<Result>(sql: string, parameters: readonly unknown[], take: (result: QueryResult) => Result) {
    const result = this.send(sql, parameters).then(take);
    // A failure fails the transaction, also where the work has stopped to wait for this statement.
    result.catch(() => undefined);
    return result;
  }
}

const ATTEMPTS = 4;
const names = new StatementNames();

/** What a transaction begins with. */
export interface Beginning {
  readonly pool: DataSource;
  readonly setting?: Setting;
}

/** Not for those who use the library: the pool behind the rows of an organisation has no organisation. */
export const BEGINNING = Symbol('beginning');
export interface Begins {
  readonly [BEGINNING]: Beginning;
}

/**
 * Runs `work` in one transaction; it resolves only after the COMMIT was confirmed. A statement that fails makes the
 * whole unit fail, whether `work` waits for it or not. The unit is repeated on errors that prove that nothing was
 * written; so `work` must have no effect outside the database.
 */
export function inTransaction<Result>(
  database: DatabaseOf<'engine'> | Begins,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const { pool, setting } = BEGINNING in database ? database[BEGINNING] : { pool: database };
  // Only as a part of something that is traced: most transactions are chores.
  return traced({ name: 'transaction', kind: 'client', attributes: { 'db.system.name': 'postgresql' } }, (span) =>
    repeated(
      { pool, ...(setting && { setting }) },
      async (transaction) => {
        const tx = new Tx((sql, parameters) => transaction.send(sql, parameters), pool);
        const result = await work(tx);
        await transaction.commit();
        span?.set({ 'aerie.db.statements': transaction.statements });
        tx.committed();
        return result;
      },
      span,
    ),
  );
}

/** One statement that is a transaction of its own. */
export function alone<Row>(
  beginning: Beginning,
  sql: string,
  parameters: readonly unknown[],
  isNamed = false,
): Promise<{ readonly rows: Row[]; readonly rowCount: number }> {
  return repeated(beginning, async (transaction) => {
    const { rows, rowCount } = await transaction.sendAlone(sql, parameters, isNamed);
    return { rows: rows as Row[], rowCount: rowCount ?? 0 };
  });
}

async function repeated<Result>(
  { pool, setting }: Beginning,
  unit: (transaction: OpenTransaction) => Promise<Result>,
  span?: OpenSpan,
): Promise<Result> {
  let named = true;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(new OpenTransaction(await takeConnection(pool), named ? names : undefined, setting), unit);
    } catch (error) {
      if (error instanceof CommitUnknownError || attempt === ATTEMPTS || !isRetryable(error)) throw error;
      span?.set({ 'aerie.db.attempts': attempt + 1 });
      // Other connections of the pool may have the same stale statement.
      if (isStaleStatement(error)) named = false;
      // Full jitter, so that those who collided do not collide again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** attempt));
    }
  }
}

async function once<Result>(
  transaction: OpenTransaction,
  unit: (transaction: OpenTransaction) => Promise<Result>,
): Promise<Result> {
  try {
    return await unit(transaction);
  } catch (error) {
    throw await transaction.rollBack(error);
  } finally {
    transaction.release();
  }
}
