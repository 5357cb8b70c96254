import { type Logger, retryUntilReached } from '@aerie/observability';
import { type DataSource, MigrationExecutor } from 'typeorm';
import { isOutage, isRetryable } from './database-errors.js';
import { openDatabase } from './open-database.js';

/** Any constant: it only has to be the same for all who migrate one database. */
const MIGRATION_LOCK = 4_157_301;

/** Of one statement of a migration: an index of millions of rows takes longer than the pool allows a request. */
const LONGEST_MS = 60_000;

/**
 * Brings the schema up to date. TypeORM takes no lock of its own, so two starters at once would both run the same
 * migration; an advisory lock lets the second wait and find nothing to do. A migration waits for the lock of a table as
 * briefly as anybody, because all others wait behind it.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const { schema } = dataSource.options as { schema?: string };
  if (schema === undefined) throw new Error('a data source that migrates must name its schema');
  const guard = dataSource.createQueryRunner();
  await guard.connect();
  try {
    await guard.query(`SET lock_timeout = ${LONGEST_MS}`);
    await guard.query(`SET statement_timeout = ${LONGEST_MS}`);
    await guard.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await guard.query('RESET lock_timeout');
    await guard.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
    // On this connection: another one of the pool has the limits of a request.
    const migrations = new MigrationExecutor(dataSource, guard);
    migrations.transaction = 'each';
    await migrations.executePendingMigrations();
  } finally {
    await guard.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await guard.query('RESET ALL').catch(() => undefined);
    await guard.release();
  }
}

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
    attempt: () => migrate(dataSource),
  });
  await dataSource.destroy();
}
