import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, retryUntilReached } from '@aerie/observability';
import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { wallTables } from './access/policies.js';
import { checkRoles, grantRights } from './access/rights.js';
import { MIGRATOR } from './access/roles.js';
import { rightsOf } from './data-source.js';
import { isOutage, isRetryable, sqlState } from './database-errors.js';
import { openDatabase } from './open-database.js';
import { poolOf } from './pool.js';

/** Any constant: it only has to be the same for all who migrate one database. */
const MIGRATION_LOCK = 4_157_301;

/** Of one statement of a migration: it may hold a lock that all others want. What holds none has limits of its own. */
const LONGEST_MS = 60_000;

/** How long a migration waits for the lock of a table. All who want that table after it wait behind it. */
const LOCK_WAIT_MS = 500;
/** Those who waited behind it have had their turn by then. */
const LOCK_PAUSE_MS = 1_500;
/** A backup may hold every table for as long as it takes. */
const LOCK_TRIES_MS = 4 * 60 * 60_000;
const LOCK_NOT_AVAILABLE = '55P03';

const TURN_PAUSE_MS = 200;
/** Somebody else may be making indexes of a large site. */
const TURN_WAIT_MS = 6 * 60 * 60_000;

/**
 * Brings the schema up to date. TypeORM takes no lock of its own, so two starters at once would both run the same
 * migration; an advisory lock lets the second wait and find nothing to do. Each migration is a transaction of its own,
 * unless it says `transaction = false`. At last the roles of the schema are given what they need; what an earlier release
 * needs must be among it, while its replicas run.
 */
export async function migrate(dataSource: DataSource, logger?: Logger): Promise<void> {
  const { schema } = dataSource.options as { schema?: string };
  if (schema === undefined) throw new Error('a data source that migrates must name its schema');
  const rights = rightsOf(dataSource);
  const guard = dataSource.createQueryRunner();
  await guard.connect();
  const pool = poolOf(dataSource);
  pool.isPatient = true;
  try {
    await guard.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
    await guard.query(`SET statement_timeout = ${LONGEST_MS}`);
    if (rights !== undefined) {
      await checkRoles(guard, schema);
      // Whoever migrates: what is made belongs to the one role that owns the schemas.
      await guard.query(`SET ROLE ${MIGRATOR}`);
    }
    await takeTurn(guard);
    await guard.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
    await runPending(dataSource, guard, logger);
    // In this order: a table that is new has its policies before anybody may reach it.
    if (rights?.isWalled === true) {
      await wallTables(guard, schema, rights, (work) => patiently(guard, 'the policies of a table wait', work, logger));
    }
    if (rights !== undefined) await grantRights(guard, schema, rights);
  } finally {
    await guard.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await guard.query('RESET ROLE').catch(() => undefined);
    await guard.query('RESET ALL').catch(() => undefined);
    await guard.release();
    pool.isPatient = false;
  }
}

/** It asks again and again: a statement that waits is a transaction, and CREATE INDEX CONCURRENTLY waits for all of those. */
async function takeTurn(guard: QueryRunner): Promise<void> {
  const giveUpAtMs = Date.now() + TURN_WAIT_MS;
  for (;;) {
    const [answer] = (await guard.query('SELECT pg_try_advisory_lock($1) AS "isOurs"', [MIGRATION_LOCK])) as {
      isOurs: boolean;
    }[];
    if (answer?.isOurs === true) return;
    if (Date.now() > giveUpAtMs) throw new Error('another program has migrated this database for hours');
    await pause(TURN_PAUSE_MS);
  }
}

/** A migration that finds its table held lets all others pass and tries again: what it did until then is rolled back. */
const runPending = (dataSource: DataSource, guard: QueryRunner, logger?: Logger): Promise<void> =>
  patiently(
    guard,
    'a migration waits',
    async () => {
      // On this connection: another one of the pool has the limits of a request.
      const migrations = new MigrationExecutor(dataSource, guard);
      migrations.transaction = 'each';
      await migrations.executePendingMigrations();
    },
    logger,
  );

/** Repeats what finds a table held, after a pause in which all others pass. */
async function patiently(guard: QueryRunner, what: string, work: () => Promise<void>, logger?: Logger): Promise<void> {
  const giveUpAtMs = Date.now() + LOCK_TRIES_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE || Date.now() > giveUpAtMs) throw error;
      const openTransactions = await oldTransactions(guard);
      logger?.warn({ attempt, openTransactions }, `${what} for a table that a transaction holds`);
      await pause(LOCK_PAUSE_MS);
    }
  }
}

/** Who may be in the way. Other users' transactions are shown to those alone who may see them. */
const oldTransactions = (guard: QueryRunner): Promise<unknown> =>
  guard.query(
    `SELECT pid, application_name AS name, extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds
       FROM pg_stat_activity
      WHERE datname = current_database() AND xact_start < clock_timestamp() - interval '500 milliseconds'
        AND pid <> pg_backend_pid()
      ORDER BY xact_start LIMIT 5`,
  );

/**
 * Opens the database, migrates and closes it again. When the server is away, at the start or in the middle, it waits
 * and goes on where it stopped: each migration commits alone, together with the note that it ran.
 */
export async function migrateDatabase(dataSource: DataSource, logger: Logger): Promise<void> {
  await openDatabase(dataSource, logger);
  await retryUntilReached({
    what: 'PostgreSQL',
    logger,
    isPassing: (error) => isOutage(error) || isRetryable(error),
    attempt: () => migrate(dataSource, logger),
  });
  await dataSource.destroy();
}
