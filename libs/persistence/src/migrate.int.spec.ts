import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, testEnvironment } from '@aerie/testing';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from './data-source.js';
import { migrate } from './migrate.js';

class CreateThing1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Longer than a statement of a request may take, and long enough that two at once would meet in the middle.
    await runner.query('SELECT pg_sleep(2.5)');
    await runner.query('CREATE TABLE things.thing (id integer PRIMARY KEY)');
    await runner.query('INSERT INTO things.thing VALUES (1)');
  }
  async down(): Promise<void> {}
}

describe('migrate', () => {
  let database: TestDatabase;
  const opened: DataSource[] = [];

  const open = async (): Promise<DataSource> => {
    const dataSource = createDataSource({
      url: database.url,
      applicationName: 'migrate-spec',
      schema: 'things',
      migrations: [CreateThing1700000000000],
      poolSize: 2,
      statementTimeoutMs: 2_000,
      logger: createLogger('test', 'silent'),
    });
    opened.push(dataSource);
    return dataSource.initialize();
  };
  const things = async (): Promise<number> => {
    const [row] = await (opened[0] as DataSource).query<[{ count: number }]>(
      'SELECT count(*)::int AS count FROM things.thing',
    );
    return row.count;
  };

  beforeEach(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_empty', () => Promise.resolve());
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((dataSource) => dataSource.destroy()));
    await database?.drop();
  });

  it('creates the schema and its tables', async () => {
    await migrate(await open());
    expect(await things()).toBe(1);
  });

  it('finds nothing to do when it runs again', async () => {
    await migrate(await open());
    await migrate(await open());
    expect(await things()).toBe(1);
  });

  it('runs each migration once when several start at once', async () => {
    const starters = [await open(), await open(), await open()];
    await Promise.all(starters.map(migrate));
    expect(await things()).toBe(1);
  });

  it('leaves its connection as it found it', async () => {
    const dataSource = await open();
    await migrate(dataSource);
    const [row] = await dataSource.query<[{ statement_timeout: string }]>('SHOW statement_timeout');
    expect(row.statement_timeout).toBe('2s');
  });
});
