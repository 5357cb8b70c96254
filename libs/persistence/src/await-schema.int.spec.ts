import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, eventually, testEnvironment } from '@aerie/testing';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { roleOf } from './access/roles.js';
import { awaitSchema } from './await-schema.js';
import { createDataSource } from './data-source.js';
import { migrate } from './migrate.js';
import { migrateNew } from './testing/index.js';

class First1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE things.thing (id integer PRIMARY KEY)');
  }
  async down(): Promise<void> {}
}
class Second1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE things.thing ADD COLUMN name text');
  }
  async down(): Promise<void> {}
}

const logger = createLogger('test', 'silent');
const opened: DataSource[] = [];
let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase(testEnvironment().databaseUrl, 'await_schema_empty', () => Promise.resolve());
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((dataSource) => dataSource.destroy()));
  await database?.drop();
});

async function open(...migrations: (new () => MigrationInterface)[]): Promise<DataSource> {
  const dataSource = createDataSource({
    ...{ url: database.url, applicationName: 'await-schema-spec', schema: 'things', migrations, poolSize: 2 },
    ...{ statementTimeoutMs: 2_000, logger },
  });
  opened.push(dataSource);
  return dataSource.initialize();
}

it('waits for a schema that is not there, and for one of which a migration is missing, and goes on once all have run', async () => {
  const whole = await open(First1700000000000, Second1700000000001);
  let isOver = false;
  const waiting = awaitSchema(whole, logger).then(() => (isOver = true));
  await migrate(await open(First1700000000000));
  // A look that began after it has found the half.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(isOver).toBe(false);
  await migrate(whole);
  await eventually('it goes on', () => isOver);
  await waiting;
});

it('does not wait for a schema of a later release', async () => {
  await migrate(await open(First1700000000000, Second1700000000001));
  await awaitSchema(await open(First1700000000000), logger);
});

class CreateEntry1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE log.entry (id integer PRIMARY KEY)');
  }
  async down(): Promise<void> {}
}
class CreateNote1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE log.note (id integer PRIMARY KEY)');
  }
  async down(): Promise<void> {}
}

describe('as a role', () => {
  /** A release, as somebody who may do everything and as the role of its API. */
  async function aRelease(...migrations: (new () => MigrationInterface)[]) {
    const role = roleOf('log', 'api');
    const login = new URL(database.url);
    [login.username, login.password] = [role, testEnvironment().databasePasswords[role] ?? ''];
    const tables = { entry: { api: 'select' }, ...(migrations.length > 1 ? { note: { api: 'select' } } : {}) };
    const openAt = async (url: string): Promise<DataSource> => {
      const dataSource = createDataSource({
        ...{ url, applicationName: 'await-schema-spec', schema: 'log', migrations, rights: { tables }, doer: 'api' },
        ...{ poolSize: 2, statementTimeoutMs: 2_000, logger },
      });
      opened.push(dataSource);
      return dataSource.initialize();
    };
    return { owner: await openAt(database.url), api: await openAt(login.href) };
  }

  it('waits for rights in a schema that is there: they are given at the end of the migrations', async () => {
    const { owner, api } = await aRelease(CreateEntry1700000000000);
    await owner.query('CREATE SCHEMA log AUTHORIZATION migrator');
    await expect(api.query('SELECT FROM log.migrations')).rejects.toMatchObject({ code: '42501' });
    await Promise.all([awaitSchema(api, logger), migrateNew(owner)]);
    await expect(api.query('SELECT FROM log.entry')).resolves.toEqual([]);
  });

  it('waits for rights to a table that an upgrade has just made', async () => {
    const before = await aRelease(CreateEntry1700000000000);
    await migrateNew(before.owner);
    const { owner, api } = await aRelease(CreateEntry1700000000000, CreateNote1700000000001);
    let looks = 0;
    const query = api.query.bind(api);
    Object.assign(api, { query: (...asked: Parameters<typeof query>) => query(...asked).finally(() => looks++) });
    const waiting = awaitSchema(api, logger);
    await eventually('it has looked', () => looks > 0);
    // The moment between the last migration and the rights.
    await owner.query('SET ROLE migrator; CREATE TABLE log.note (id integer PRIMARY KEY); RESET ROLE');
    await owner.query(`INSERT INTO log.migrations (timestamp, name) VALUES (1700000000001, 'CreateNote1700000000001')`);
    const until = looks + 3;
    await eventually('it has looked again, at the rights too', () => looks > until);
    await migrate(owner);
    await waiting;
    await expect(api.query('SELECT FROM log.note')).resolves.toEqual([]);
  });
});
