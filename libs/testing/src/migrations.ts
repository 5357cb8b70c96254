import { Client } from 'pg';
import { testEnvironment } from './environment.js';
import { createTestDatabase } from './test-database.js';

/** What of a data source is used here; TypeORM's has it. */
interface Migrated {
  initialize(): Promise<unknown>;
  undoLastMigration(options: { transaction: 'each' }): Promise<void>;
  destroy(): Promise<void>;
}

export interface MigrationRound {
  /** After all migrations. */
  readonly up: readonly string[];
  /** After all of them were taken back, the newest first. */
  readonly down: readonly string[];
  /** After they ran again. */
  readonly upAgain: readonly string[];
}

/** A line for each column, constraint, index, function and trigger of a schema, but for TypeORM's own table. */
const SHAPE = `
  SELECT line FROM (
    SELECT format('%s.%s %s %s default %s', table_name, column_name, data_type, is_nullable, column_default) AS line,
           table_name AS owner
      FROM information_schema.columns WHERE table_schema = $1
    UNION ALL
    SELECT format('%s %s', conname, pg_get_constraintdef(oid)), conrelid::regclass::text
      FROM pg_constraint WHERE connamespace = to_regnamespace($1)
    UNION ALL
    SELECT indexdef, tablename FROM pg_indexes WHERE schemaname = $1
    UNION ALL
    SELECT pg_get_functiondef(oid), proname FROM pg_proc WHERE pronamespace = to_regnamespace($1)
    UNION ALL
    SELECT format('%s.%s %s', event_object_table, trigger_name, action_statement), event_object_table
      FROM information_schema.triggers WHERE trigger_schema = $1
  ) AS lines
  WHERE owner !~ '(^|\\.)migrations$'
  ORDER BY line COLLATE "C"`;

/** Runs the migrations of a service, takes all of them back, and runs them again, on a database of its own. */
export async function migrationRound<Source extends Migrated>(service: {
  readonly schema: string;
  readonly migrations: readonly unknown[];
  readonly open: (url: string) => Source;
  readonly migrate: (source: Source) => Promise<void>;
}): Promise<MigrationRound> {
  const { databaseUrl } = testEnvironment();
  const database = await createTestDatabase(databaseUrl, 'template_empty', () => Promise.resolve());
  const source = service.open(database.url);
  const client = new Client({ connectionString: database.url });
  const shape = async (): Promise<string[]> =>
    (await client.query<{ line: string }>(SHAPE, [service.schema])).rows.map(({ line }) => line);
  try {
    await source.initialize();
    await client.connect();
    await service.migrate(source);
    const up = await shape();
    for (const _ of service.migrations) await source.undoLastMigration({ transaction: 'each' });
    const down = await shape();
    await service.migrate(source);
    return { up, down, upAgain: await shape() };
  } finally {
    await client.end();
    await source.destroy();
    await database.drop();
  }
}
