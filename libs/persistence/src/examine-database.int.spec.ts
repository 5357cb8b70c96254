import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivatePostgres } from '@aerie/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { examineDatabase } from './examine-database.js';

const logger = createLogger('examine-spec', 'silent');

describe('the settings of PostgreSQL', () => {
  let postgres: PrivateServer;
  let admin: Client;
  const opened: DataSource[] = [];

  beforeAll(async () => {
    postgres = await startPrivatePostgres(['max_connections=40']);
    admin = new Client({ connectionString: postgres.url });
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.end();
    await postgres?.remove();
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.destroy();
  });

  const told = async (url = postgres.url, poolSizes: readonly number[] = [4]): Promise<string[]> => {
    for (const [index, poolSize] of poolSizes.entries()) {
      const dataSource = createDataSource({
        ...{ url, applicationName: `examine-spec-${index}`, schema: 'public', migrations: [], logger },
        ...{ poolSize, statementTimeoutMs: 2_000 },
      });
      opened.push(await dataSource.initialize());
    }
    const findings = await examineDatabase(opened);
    return findings.map(({ field, message, isError }) => `${isError ? 'error' : 'warning'}: ${field} ${message}`);
  };

  it('are as they should be by default', async () => {
    await expect(told()).resolves.toEqual([]);
  });

  it('names the user of a pool that is not its role', async () => {
    const dataSource = createDataSource({
      ...{ url: postgres.url, applicationName: 'examine-spec', schema: 'log', doer: 'api', migrations: [], logger },
      ...{ poolSize: 2, statementTimeoutMs: 2_000 },
    });
    opened.push(await dataSource.initialize());
    await expect(examineDatabase([dataSource])).resolves.toEqual([
      expect.objectContaining({
        field: 'user',
        message: expect.stringMatching(/^is aerie where log_api is meant/),
        isError: false,
      }),
    ]);
  });

  it('are refused where our role gives up what it committed', async () => {
    await admin.query(
      "CREATE ROLE careless LOGIN PASSWORD 'hunter2'; ALTER ROLE careless SET synchronous_commit = off",
    );
    const url = new URL(postgres.url);
    url.username = 'careless';
    url.password = 'hunter2';
    await expect(told(url.href)).resolves.toEqual([
      expect.stringMatching(/^error: synchronous_commit is off: .* RESET synchronous_commit/),
    ]);
  });

  it('are refused where the database has another encoding, or takes no writes', async () => {
    await admin.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    await admin.query('ALTER DATABASE latin SET default_transaction_read_only = on');
    await expect(told(postgres.url.replace(/\/postgres$/, '/latin'))).resolves.toEqual([
      expect.stringContaining("error: server_encoding is LATIN1: create the database with ENCODING 'UTF8'"),
      expect.stringContaining('error: default_transaction_read_only is on'),
    ]);
  });

  it('are a warning where the server has no room for all pools of a replica', async () => {
    await expect(told(postgres.url, [20, 20])).resolves.toEqual([
      expect.stringMatching(
        /^warning: max_connections is 40, of which \d+ are free, and the pools of this replica want 40/,
      ),
    ]);
  });

  it('are refused where a crash could destroy the database', async () => {
    const careless = await startPrivatePostgres(['fsync=off', 'full_page_writes=off']);
    try {
      await expect(told(careless.url)).resolves.toEqual([
        expect.stringContaining('error: fsync is off'),
        expect.stringContaining('warning: full_page_writes is off'),
      ]);
    } finally {
      for (const each of opened.splice(0)) await each.destroy();
      await careless.remove();
    }
  });
});
