import { DataSource, type MigrationInterface } from 'typeorm';
import { Peer, tlsOptions } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import pg from 'pg';
import type { SchemaRights } from './access/rights.js';
import { type Doer, roleOf } from './access/roles.js';
import { ConnectionPool } from './pool.js';

declare const DOER: unique symbol;
/**
 * A pool for one kind of work. What is written for requests takes `DatabaseOf<'api'>`, and a pool of the engine does not
 * fit there.
 */
export type DatabaseOf<Who extends Doer> = DataSource & { readonly [DOER]?: Who };

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: Peer | string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** The PostgreSQL schema that this service owns; its own migrations table lies there too. */
  readonly schema: string;
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** What the roles of the schema are given once it is migrated; undefined in specs that have no roles. */
  readonly rights?: SchemaRights;
  /** Which of them the pool is for. */
  readonly doer?: Doer;
  readonly poolSize: number;
  /** Of these, so many are kept open: to open one costs a dozen milliseconds of CPU, and an idle one some megabytes. */
  readonly warmConnections?: number;
  readonly statementTimeoutMs: number;
  /**
   * Reads a table by an index, in its order, wherever there is one; a bitmap would collect all versions of a row before
   * the newest is taken. For a pool whose statements all find a few rows by a key: a prepared
   * statement keeps its plan, and one that was made while a table had a single page would read all of it for each row,
   * also once a transaction that is held open keeps hundreds of pages of old versions in it.
   */
  readonly readsByIndex?: boolean;
  readonly logger: Logger;
}

const FIRST_PROBE_MS = 10_000;
/** Beyond the limit of a statement: for the way, and for a server that is busy with the end of many. */
const ANSWER_MARGIN_MS = 5_000;

/** Plans are made anew by then, and a server that was replaced behind its address is left. */
const MAX_LIFETIME_SECONDS = 600;

/**
 * A connection pool. Every limit is the server's: a client-side query timeout inside a transaction would hand a
 * connection with an open transaction back to the pool, and another request would commit it.
 */
export function createDataSource(options: DatabaseOptions): DataSource {
  const serverSettings = {
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: 1_000,
    idle_in_transaction_session_timeout: 5_000,
    // Decisions about time are made in UTC, whatever the server's default is.
    timezone: 'UTC',
    // Before PostgreSQL 18 a table without an index costs so much then that its statement would be compiled.
    ...(options.readsByIndex === true ? { enable_seqscan: 'off', enable_bitmapscan: 'off', jit: 'off' } : {}),
  };
  const peer = Peer.at(options.url);
  const ssl = tlsOptions(peer);
  const dataSource = new DataSource({
    type: 'postgres',
    url: peer.url,
    ...(ssl === undefined ? {} : { ssl }),
    applicationName: options.applicationName,
    schema: options.schema,
    migrations: [...options.migrations],
    migrationsTableName: 'migrations',
    synchronize: false,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolSize: options.poolSize,
    connectTimeoutMS: 2_000,
    poolErrorHandler: (error: unknown) => options.logger.warn({ err: error }, 'an idle database connection failed'),
    driver: { ...pg, Pool: ConnectionPool },
    extra: {
      keepAlive: true,
      // Otherwise the first probe of an idle connection comes after two hours.
      keepAliveInitialDelayMillis: FIRST_PROBE_MS,
      silenceMs: options.statementTimeoutMs + ANSWER_MARGIN_MS,
      // Statements that are sent together do not wait for each other's answers.
      pipeline: true,
      min: options.warmConnections ?? 0,
      // Prepared statements live as long as their connection, so a pause must not close it.
      idleTimeoutMillis: 0,
      // Nor does it keep a program from ending that has nothing else to do.
      allowExitOnIdle: true,
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      options: Object.entries(serverSettings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    },
  });
  peers.set(dataSource, peer);
  if (options.rights !== undefined) rights.set(dataSource, options.rights);
  if (options.doer !== undefined) users.set(dataSource, roleOf(options.schema, options.doer));
  return dataSource;
}

const peers = new WeakMap<DataSource, Peer>();
const rights = new WeakMap<DataSource, SchemaRights>();
const users = new WeakMap<DataSource, string>();

/** The server of a data source that was made here. */
export const peerOf = (dataSource: DataSource): Peer | undefined => peers.get(dataSource);

/** Who may do what in its schema. */
export const rightsOf = (dataSource: DataSource): SchemaRights | undefined => rights.get(dataSource);

/** The role that a pool is for; undefined where it has none. */
export const userOf = (dataSource: DataSource): string | undefined => users.get(dataSource);
