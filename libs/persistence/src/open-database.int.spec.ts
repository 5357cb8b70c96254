import { type Server, type Socket, createServer } from 'node:net';
import { awaitedNow, createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, eventually, freePort, testEnvironment } from '@aerie/testing';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from './data-source.js';
import { migrateDatabase } from './migrate.js';
import { openDatabase } from './open-database.js';
import { type PostgresProxy, startPostgresProxy } from './postgres-proxy.fixture.js';

const logger = createLogger('test', 'silent');

class CreateFirst1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE boot.first (id integer PRIMARY KEY)');
  }
  async down(): Promise<void> {}
}
class CreateSecond1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE boot.second (id integer PRIMARY KEY)');
  }
  async down(): Promise<void> {}
}

describe('a database that is away at boot', () => {
  let database: TestDatabase;
  let proxy: PostgresProxy | undefined;
  let mute: Server | undefined;
  const opened: DataSource[] = [];

  const sourceAt = (url: string): DataSource => {
    const dataSource = createDataSource({
      url,
      applicationName: 'open-database-spec',
      schema: 'boot',
      migrations: [CreateFirst1700000000000, CreateSecond1700000000001],
      poolSize: 2,
      warmConnections: 2,
      statementTimeoutMs: 2_000,
      logger,
    });
    opened.push(dataSource);
    return dataSource;
  };
  const at = (port: number): string => {
    const url = new URL(database.url);
    url.hostname = '127.0.0.1';
    url.port = String(port);
    return url.href;
  };

  beforeEach(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_empty', () => Promise.resolve());
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) if (each.isInitialized) await each.destroy();
    await proxy?.close();
    mute?.close();
    [proxy, mute] = [undefined, undefined];
    await database?.drop();
  });

  it('is waited for and opened once it is there', async () => {
    const port = await freePort();
    const opening = openDatabase(sourceAt(at(port)), logger);
    await eventually('it says what it waits for', () => awaitedNow().includes('PostgreSQL'));
    proxy = await startPostgresProxy(database.url, port);

    const dataSource = await opening;

    await expect(dataSource.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    expect(awaitedNow()).toEqual([]);
  });

  it('is waited for, too, when it takes the connection and stays silent past the connect timeout', async () => {
    const port = await freePort();
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    mute = silent;
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    const opening = openDatabase(sourceAt(at(port)), logger);
    await eventually('the connect timeout has passed and it tried again', () => sockets.length >= 2);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
    proxy = await startPostgresProxy(database.url, port);

    await expect((await opening).query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('keeps no connections of attempts that failed', async () => {
    const port = await freePort();
    const opening = openDatabase(sourceAt(at(port)), logger);
    await eventually('it waits', () => awaitedNow().length > 0);
    const started = await startPostgresProxy(database.url, port);
    proxy = started;
    await opening;

    await eventually('the pool has its warm connections', () => started.openConnections() === 2);
    // Longer than a pool takes to open again what it lacks.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(started.openConnections()).toBe(2);
  });

  it('is an error at once when it refuses the password, since only a person can mend that', async () => {
    const url = new URL(database.url);
    url.password = 'wrong';

    await expect(openDatabase(sourceAt(url.href), logger)).rejects.toMatchObject({ code: '28P01' });
  });

  it('is migrated to the end when the connection is cut in the middle', async () => {
    proxy = await startPostgresProxy(database.url);
    proxy.swallowAnswerTo('COMMIT');

    await migrateDatabase(sourceAt(proxy.url), logger);

    const observer = await openDatabase(sourceAt(database.url), logger);
    await expect(
      observer.query(`SELECT table_name AS name FROM information_schema.tables
                       WHERE table_schema = 'boot' AND table_name IN ('first', 'second') ORDER BY name`),
    ).resolves.toEqual([{ name: 'first' }, { name: 'second' }]);
  });
});
