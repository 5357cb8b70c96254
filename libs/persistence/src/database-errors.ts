import { UnavailableError } from '@aerie/kernel';

/** The COMMIT was sent and its answer did not come: the writes may stand. Read before doing anything else. */
export class CommitUnknownError extends UnavailableError {
  constructor(cause: unknown) {
    super('commit_unknown', 'failed to learn whether a transaction was committed', { cause });
  }
}

/** The connection ended before the COMMIT was sent: nothing is written, and the unit can be repeated. */
export class ConnectionLostError extends UnavailableError {
  constructor(cause: unknown) {
    super('database_connection_lost', 'lost the database connection before the commit', { cause });
  }
}

/** Serialization failure, deadlock, lock timeout, and a server that went away before the commit was sent. */
const RETRYABLE = new Set(['40001', '40P01', '55P03', '57P01', '57P02', '57P03', '08000', '08003', '08006', '25P03']);

/** Whether it proves that nothing was written, and that the same unit may succeed now. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ConnectionLostError || isStaleStatement(error)) return true;
  return RETRYABLE.has(sqlState(error) ?? '');
}

/**
 * A prepared statement does not fit any more: a migration changed the type of a column that it returns, or the server
 * and the client disagree on what is prepared. Its connection is of no use.
 */
export function isStaleStatement(error: unknown): boolean {
  const code = sqlState(error);
  // 0A000 has many meanings. The message may be in the language of the server; the function that said it has one name.
  if (code === '0A000') return (error as { routine?: unknown }).routine === 'RevalidateCachedQuery';
  return code === '26000' || code === '42P05';
}

/**
 * Whether the database refused the values themselves: out of range, too long, not text. Trying again changes nothing.
 * Classes 22 (data exception) and 54 (program limit exceeded).
 */
export function isDataError(error: unknown): boolean {
  return /^(22|54)/.test(sqlState(error) ?? '');
}

/** The SQLSTATE of a database error, where there is one. It has a digit; codes of the operating system (EPIPE) have none. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const found = driverError?.code ?? code;
  return typeof found === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(found) ? found : undefined;
}

/** SQLSTATE classes of a server that is away, or that has no room: connection, resources, an operator who stops it. */
const OUTAGE = /^(08|53|57P|58)/;

/** What pg says of a connection that ended while it was used; the errors have no code. */
const CONNECTION_ENDED = /^(Connection terminated|Client has encountered a connection error)/;

/** Whether an error would meet any unit of work now: the database is away. An error of one row or value is none. */
export function isOutage(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  const code = sqlState(error);
  if (code !== undefined) return OUTAGE.test(code);
  // Codes of the operating system, such as ECONNREFUSED or EAI_AGAIN, lie beside errors of the network.
  const { code: system, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof message === 'string' && CONNECTION_ENDED.test(message)) return true;
  return typeof system === 'string' && /^E[A-Z_]+$/.test(system);
}
