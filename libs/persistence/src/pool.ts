import type { Socket } from 'node:net';
import { UnavailableError, gatherWrites } from '@aerie/kernel';
import { type Connection, Pool as PgPool, type PoolClient, type PoolConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { ConnectionLostError, sqlState } from './database-errors.js';

/** Within that time the pool opens again what was lost, e.g. at a restart of the database. */
const REFILL_EVERY_MS = 1_000;

/** What pg says when a caller waited too long: for a connection to become free, or for a new one to be accepted. */
const WAITED_TOO_LONG = new Set([
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
]);
/** SQLSTATE of a server that accepts no further connections. */
const TOO_MANY_CONNECTIONS = '53300';

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/**
 * The pool below a data source. It keeps `min` connections open, which is what pg-pool means by the word but leaves to
 * its users. A caller that gets no connection in time is told so by an error that has a place in every interface.
 */
export class ConnectionPool extends PgPool {
  private refilling: NodeJS.Timeout | undefined;
  /** Waits for each answer for as long as the server takes: migrations have hours. */
  isPatient = false;

  constructor(config?: PoolConfig) {
    super(config);
    // A connection may break while nobody waits for an answer of it; its next user finds out.
    this.on('connect', (client) => client.on('error', () => undefined));
    // Statements that are sent together are one packet, and wake the server once.
    this.on('connect', (client) => gatherWrites((client as DatabaseClient).connection.stream));
    this.on('connect', (client) => this.endWhenSilent(client as DatabaseClient));
    // Not before: a data source that cannot connect forgets its pool, and nobody would ever end it.
    this.once('connect', () => {
      this.refilling = setInterval(() => this.refill(), REFILL_EVERY_MS).unref();
      setImmediate(() => this.refill());
    });
  }

  /**
   * When packets vanish, nobody closes a connection: the kernel repeats what was sent for many minutes, and a statement
   * would wait for as long. The server answers each within its own limits, so one that owes an answer for longer is not there.
   * The connection is ended as if the server had ended it, and never goes back to the pool.
   */
  private endWhenSilent(client: DatabaseClient): void {
    const { silenceMs } = this.options as SilenceOptions;
    if (silenceMs === undefined) return;
    // A socket, with TLS or without, which pg types by less.
    const stream = client.connection.stream as Socket;
    stream.setTimeout(silenceMs, () => {
      if (!this.isPatient && !client.readyForQuery) stream.destroy();
    });
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    if (callback !== undefined) {
      super.connect((error, client, done) => callback(error && refusalOf(error), client, done));
      return undefined;
    }
    return super.connect().catch((error: unknown) => {
      throw refusalOf(error);
    });
  }

  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | void {
    clearInterval(this.refilling);
    return callback === undefined ? super.end() : super.end(callback);
  }

  /** pg-pool opens a connection only when none is idle, so the idle ones are taken for one turn of the event loop. */
  private refill(): void {
    const missing = (this.options.min ?? 0) - this.totalCount;
    if (missing <= 0 || this.ending) return;
    for (let open = this.idleCount + missing; open > 0; open--) {
      void this.connect().then(
        (client) => setImmediate(() => client.release()),
        // Tried again soon. Whoever needs a connection before that is told the reason.
        () => undefined,
      );
    }
  }
}

function refusalOf<Thrown>(error: Thrown): Thrown | UnavailableError {
  if (!(error instanceof Error)) return error;
  if (WAITED_TOO_LONG.has(error.message) || sqlState(error) === TOO_MANY_CONNECTIONS) {
    return new UnavailableError('database_busy', 'failed to get a database connection in time', { cause: error });
  }
  return error.message === 'Connection terminated unexpectedly' ? new ConnectionLostError(error) : error;
}

export interface SilenceOptions {
  /** So long a server that is there may be silent on a statement. */
  readonly silenceMs?: number;
}

export interface DatabaseClient extends PoolClient {
  /** False while an answer is owed. */
  readonly readyForQuery: boolean;
  readonly connection: Connection;
  /** As the server said with its last answer: idle, in a transaction, or in one that has failed. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
}

export async function takeConnection(dataSource: DataSource): Promise<DatabaseClient> {
  // The pool makes clients of pg, which have these; its types tell less.
  return (await poolOf(dataSource).connect()) as DatabaseClient;
}

export function poolOf(dataSource: DataSource): ConnectionPool {
  // TypeORM keeps the pool in its driver, which is typed for all databases.
  const { master } = dataSource.driver as { master?: unknown };
  if (!(master instanceof ConnectionPool)) throw new Error('failed to get a database connection: the pool is not open');
  return master;
}
