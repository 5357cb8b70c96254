import { UnavailableError } from '@aerie/kernel';
import { Metrics, createLogger } from '@aerie/observability';
import {
  type PrivateServer,
  type TestDatabase,
  createTestDatabase,
  eventually,
  startPrivatePostgres,
  testEnvironment,
} from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { poolOf, takeConnection } from './pool.js';
import { showPools } from './show-pools.js';
import { inTransaction } from './transaction.js';

const logger = createLogger('test', 'silent');
const WARM = 3;

describe('the connection pool', () => {
  let database: TestDatabase;
  let observer: DataSource;
  let dataSource: DataSource;

  const open = (applicationName: string, poolSize: number, warmConnections: number): Promise<DataSource> =>
    createDataSource({
      url: database.url,
      applicationName,
      schema: 'public',
      migrations: [],
      poolSize,
      warmConnections,
      statementTimeoutMs: 5_000,
      logger,
    }).initialize();
  const backends = async (): Promise<number[]> => {
    const rows = await observer.query<{ pid: number }[]>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'pool-spec' ORDER BY pid`,
    );
    return rows.map(({ pid }) => pid);
  };

  beforeAll(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_empty', () => Promise.resolve());
    observer = await open('observer', 1, 0);
  });

  afterAll(async () => {
    await observer?.destroy();
    await database?.drop();
  });

  describe('with connections that are kept warm', () => {
    beforeEach(async () => {
      dataSource = await open('pool-spec', WARM + 1, WARM);
    });
    afterEach(() => dataSource.destroy());

    it('shows how many are in use, and how many wait for one', async () => {
      const metrics = new Metrics('spec');
      showPools(metrics, { all: dataSource });
      const shown = async (): Promise<(string | undefined)[]> =>
        Promise.all(
          ['in_use', 'awaited'].map(
            async (end) =>
              /pool="all".*\} (\d+)$/m.exec(
                await metrics.registry.getSingleMetricAsString(`database_connections_${end}`),
              )?.[1],
          ),
        );
      await eventually('all are open, and none is in use', async () => (await shown()).join() === '0,0');
      const taken = await Promise.all(Array.from({ length: WARM + 1 }, () => takeConnection(dataSource)));
      const waiting = takeConnection(dataSource);
      expect(await shown()).toEqual([String(WARM + 1), '1']);
      for (const one of taken) one.release();
      (await waiting).release();
      expect(await shown()).toEqual(['0', '0']);
    });

    it('opens them before anybody needs them', async () => {
      await eventually('all are open', async () => (await backends()).length === WARM);
    });

    it('opens others when they were lost', async () => {
      await eventually('all are open', async () => (await backends()).length === WARM);
      const before = await backends();
      await observer.query('SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid', [before]);
      await eventually('others are open', async () => {
        const now = await backends();
        return now.length === WARM && now.every((pid) => !before.includes(pid));
      });
    });
  });

  describe('when it is used up', () => {
    let release: () => void;
    beforeEach(async () => {
      dataSource = await open('pool-spec', 1, 0);
      const client = await takeConnection(dataSource);
      release = () => client.release();
    });
    afterEach(async () => {
      release();
      await dataSource.destroy();
    });

    const busy = { code: 'database_busy', kind: 'unavailable' };

    it('tells a transaction to try later', async () => {
      const error = await inTransaction(dataSource, (tx) => tx.run('SELECT 1')).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error).toMatchObject(busy);
    });

    it('tells a read outside of transactions to try later', async () => {
      await expect(dataSource.query('SELECT 1')).rejects.toMatchObject(busy);
    });
  });

  describe('of a server that is silent with its connections open, as when packets vanish', () => {
    let server: PrivateServer;
    beforeAll(async () => {
      server = await startPrivatePostgres();
    });
    afterAll(() => server?.remove());
    beforeEach(async () => {
      dataSource = await createDataSource({
        ...{ url: server.url, applicationName: 'silence', schema: 'public', migrations: [], poolSize: 1 },
        ...{ statementTimeoutMs: 500, logger },
      }).initialize();
    });
    afterEach(() => dataSource.destroy());

    it('gives a statement up soon after the server had to, and goes on with a new connection', async () => {
      const client = await takeConnection(dataSource);
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const { pid } = rows[0] ?? { pid: 0 };
      process.kill(pid, 'SIGSTOP');
      const startedMs = performance.now();
      try {
        await expect(client.query('SELECT 1')).rejects.toThrow('Connection terminated unexpectedly');
        expect(performance.now() - startedMs).toBeGreaterThan(5_000);
        expect(performance.now() - startedMs).toBeLessThan(15_000);
        client.release(true);
        const [after] = await inTransaction(dataSource, (tx) => tx.query<{ one: number }>('SELECT 1 AS one'));
        expect(after).toEqual({ one: 1 });
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });

    it('leaves a connection alone that owes nothing', async () => {
      const pid = async () => (await dataSource.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid'))[0].pid;
      const before = await pid();
      await new Promise((resolve) => setTimeout(resolve, 6_500));
      expect(await pid()).toBe(before);
    });

    it('waits for as long as it takes while the schema is migrated', async () => {
      poolOf(dataSource).isPatient = true;
      const client = await takeConnection(dataSource);
      await client.query('SET statement_timeout = 0');
      await expect(client.query('SELECT pg_sleep(7)')).resolves.toMatchObject({ rowCount: 1 });
      client.release(true);
    });
  });
});
