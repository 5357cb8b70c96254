import { UnavailableError } from '@aerie/kernel';
import { type DataSource, type QueryRunner } from 'typeorm';

/** The only way to talk to the database inside a transaction; the global data source would escape it. */
export class Tx {
  constructor(private readonly runner: QueryRunner) {}

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const result = await this.runner.query(sql, [...parameters], true);
    return (result.records ?? []) as Row[];
  }

  /** Runs a statement and says how many rows it touched. */
  async run(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    const result = await this.runner.query(sql, [...parameters], true);
    return result.affected ?? 0;
  }

  async one<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.query<Row>(sql, parameters))[0];
  }
}

/** The COMMIT was sent and its answer did not come: the writes may stand. Read before doing anything else. */
export class CommitUnknownError extends UnavailableError {
  constructor(cause: unknown) {
    super('commit_unknown', 'failed to learn whether a transaction was committed', { cause });
  }
}

/** Serialization failure, deadlock, lock timeout, and a server that went away before the commit was sent. */
const RETRYABLE = new Set(['40001', '40P01', '55P03', '57P01', '57P02', '57P03', '08000', '08003', '08006', '25P03']);
const ATTEMPTS = 4;

/**
 * Runs `work` in one transaction; it resolves only after the COMMIT was confirmed. The whole unit is repeated on
 * errors that prove that nothing was written; so `work` must have no effect outside the database.
 */
export async function inTransaction<Result>(
  dataSource: DataSource,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(dataSource, work);
    } catch (error) {
      if (error instanceof CommitUnknownError || attempt === ATTEMPTS || !isRetryable(error)) throw error;
      // Full jitter, so that those who collided do not collide again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** attempt));
    }
  }
}

async function once<Result>(dataSource: DataSource, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    const result = await work(new Tx(runner));
    await commit(runner);
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

async function commit(runner: QueryRunner): Promise<void> {
  try {
    await runner.commitTransaction();
  } catch (error) {
    // A constraint that is checked at commit refuses with an SQLSTATE of class 23: known not to be written.
    const code = sqlState(error);
    if (code?.startsWith('23') || code === '40001' || code === '40P01') throw error;
    throw new CommitUnknownError(error);
  }
}

function isRetryable(error: unknown): boolean {
  const code = sqlState(error);
  if (code !== undefined) return RETRYABLE.has(code);
  // A backend that was killed in mid-transaction leaves no SQLSTATE behind, only one of these.
  return isLostConnection(error);
}

const isLostConnection = (error: unknown): boolean =>
  error instanceof Error &&
  /QueryRunnerAlreadyReleased|Connection terminated|already released|timeout exceeded when trying to connect/.test(
    `${error.name} ${error.message}`,
  );

/**
 * Whether the database refused the values themselves: out of range, too long, not text. Trying again changes nothing.
 * Classes 22 (data exception) and 54 (program limit exceeded).
 */
export function isDataError(error: unknown): boolean {
  return /^(22|54)/.test(sqlState(error) ?? '');
}

/** The SQLSTATE of a database error, where there is one. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const found = driverError?.code ?? code;
  return typeof found === 'string' && /^[0-9A-Z]{5}$/.test(found) ? found : undefined;
}

/** SQLSTATE classes of a server that is away, or that has no room: connection, resources, an operator who stops it. */
const OUTAGE = /^(08|53|57P|58)/;

/** Whether an error would meet any unit of work now: the database is away. An error of one row or value is none. */
export function isOutage(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  const code = sqlState(error);
  if (code !== undefined) return OUTAGE.test(code);
  const { code: system } = error as { code?: unknown };
  return (typeof system === 'string' && /^E[A-Z]+$/.test(system)) || isLostConnection(error);
}
