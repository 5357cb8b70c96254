import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, eventually, testEnvironment } from '@aerie/testing';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from './data-source.js';
import { migrate } from './migrate.js';
import { makeIndex } from './unhurried.js';

class CreateThing1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Longer than a statement of a request may take, and long enough that two at once would meet in the middle.
    await runner.query('SELECT pg_sleep(2.5)');
    await runner.query('CREATE TABLE things.thing (id integer PRIMARY KEY)');
    await runner.query('INSERT INTO things.thing VALUES (1)');
  }
  async down(): Promise<void> {}
}

class AddSize1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE things.thing ADD COLUMN size integer');
  }
  async down(): Promise<void> {}
}

class IndexSize1700000000002 implements MigrationInterface {
  readonly transaction = false;
  async up(runner: QueryRunner): Promise<void> {
    await makeIndex(runner, { schema: 'things', name: 'thing_size', on: 'thing (size)' });
  }
  async down(): Promise<void> {}
}

class OneSize1700000000002 implements MigrationInterface {
  readonly transaction = false;
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE UNIQUE INDEX CONCURRENTLY thing_size ON things.thing (size)');
  }
  async down(): Promise<void> {}
}

describe('migrate', () => {
  let database: TestDatabase;
  const opened: DataSource[] = [];

  const open = async (...more: (new () => MigrationInterface)[]): Promise<DataSource> => {
    const dataSource = createDataSource({
      url: database.url,
      applicationName: 'migrate-spec',
      schema: 'things',
      migrations: [CreateThing1700000000000, ...more],
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
    await Promise.all(starters.map((starter) => migrate(starter)));
    expect(await things()).toBe(1);
  });

  it('leaves its connection as it found it', async () => {
    const dataSource = await open();
    await migrate(dataSource);
    const [row] = await dataSource.query<[{ statement_timeout: string }]>('SHOW statement_timeout');
    expect(row.statement_timeout).toBe('2s');
  });

  it('keeps nobody waiting for longer than two seconds behind a table that another transaction holds', async () => {
    await migrate(await open());
    const [first] = opened as [DataSource];
    const holder = first.createQueryRunner();
    await holder.startTransaction();
    // As a backup reads it.
    await holder.query('SELECT * FROM things.thing');

    const said: object[] = [];
    const logger = Object.assign(createLogger('test', 'silent'), { warn: (fields: object) => said.push(fields) });
    let isMigrated = false;
    const migrating = migrate(await open(AddSize1700000000001), logger).then(() => (isMigrated = true));
    migrating.catch(() => undefined);

    // One who writes all the while: a statement of his that takes two seconds is cut off, and throws.
    const writer = await open();
    let written = 0;
    const write = async (): Promise<void> => {
      await writer.query('SET lock_timeout = 0');
      await writer.query('UPDATE things.thing SET id = id');
      written++;
    };
    while (said.length < 3) await write();
    expect(isMigrated).toBe(false);
    expect(written).toBeGreaterThan(3);
    expect(said[0]).toMatchObject({ attempt: 1, openTransactions: [{ name: 'migrate-spec' }] });

    await holder.commitTransaction();
    await holder.release();
    await migrating;
    const [row] = await writer.query<[{ size: null }]>('SELECT size FROM things.thing');
    expect(row).toEqual({ size: null });
  });

  it('makes an index outside a transaction while others wait for their turn to migrate', async () => {
    await migrate(await open());
    const starters = [
      await open(AddSize1700000000001, IndexSize1700000000002),
      await open(AddSize1700000000001, IndexSize1700000000002),
    ];
    await Promise.all(starters.map((starter) => migrate(starter)));
    const [row] = await starters[0]!.query<[{ valid: boolean }]>(
      `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'things.thing_size'::regclass`,
    );
    expect(row).toEqual({ valid: true });
  });

  it('throws an index away that was cut off half-made, and makes it anew without haste', async () => {
    await migrate(await open(AddSize1700000000001));
    const [first] = opened as [DataSource];
    await first.query('INSERT INTO things.thing VALUES (2, 5), (3, 5)');
    // A unique one that cannot be: it stays behind, and is not valid.
    await expect(migrate(await open(AddSize1700000000001, OneSize1700000000002))).rejects.toThrow('thing_size');

    const again = await open(AddSize1700000000001, IndexSize1700000000002);
    await migrate(again);
    const [row] = await again.query<[{ valid: boolean; unique: boolean }]>(
      `SELECT indisvalid AS valid, indisunique AS unique FROM pg_index WHERE indexrelid = 'things.thing_size'::regclass`,
    );
    expect(row).toEqual({ valid: true, unique: false });
  });

  it('leaves its haste to what comes after an index', async () => {
    await migrate(await open(AddSize1700000000001));
    const runner = (opened[0] as DataSource).createQueryRunner();
    const settings = () =>
      runner.query(`SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement`);
    const before: unknown = await settings();
    await makeIndex(runner, { schema: 'things', name: 'thing_size', on: 'thing (size)' });
    expect(await settings()).toEqual(before);
    await runner.release();
  });

  it('lets an index wait for a transaction for longer than a lock may take, and lets writers through meanwhile', async () => {
    await migrate(await open(AddSize1700000000001));
    const [first] = opened as [DataSource];
    const holder = first.createQueryRunner();
    await holder.startTransaction('REPEATABLE READ');
    await holder.query('UPDATE things.thing SET size = 1');
    const source = await open(AddSize1700000000001, IndexSize1700000000002);
    const migrating = migrate(source);
    migrating.catch(() => undefined);
    const writer = await open();
    await eventually('the index waits', async () => {
      const rows = await writer.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'
            AND clock_timestamp() - query_start > interval '2 seconds'`,
      );
      await writer.query('INSERT INTO things.thing SELECT max(id) + 1 FROM things.thing');
      return rows.length > 0 ? true : undefined;
    });
    await holder.commitTransaction();
    await holder.release();
    await migrating;
    const [row] = await writer.query<[{ valid: boolean }]>(
      `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'things.thing_size'::regclass`,
    );
    expect(row).toEqual({ valid: true });
  });
});
