import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivatePostgres } from '@aerie/testing';
import { Client } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from '../data-source.js';
import { migrate } from '../migrate.js';
import { makeRoles } from './make-roles.js';
import type { SchemaRights } from './rights.js';
import { ROLE_NAMES } from './roles.js';

class CreateThing1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE log.thing (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size integer);
      CREATE SEQUENCE log.turns;
      CREATE VIEW log.things AS SELECT id FROM log.thing;
      CREATE TABLE log.day (at date NOT NULL) PARTITION BY RANGE (at);
      CREATE TABLE log.day_other PARTITION OF log.day DEFAULT;
      CREATE FUNCTION log.count_things() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM log.thing'`);
  }
  async down(): Promise<void> {}
}

class AddName1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE log.thing ADD COLUMN name text');
  }
  async down(): Promise<void> {}
}

const RIGHTS: SchemaRights = {
  tables: { thing: { api: 'select', engine: 'select insert' }, things: { api: 'select' }, day: { engine: 'select' } },
  sequences: { turns: ['engine'] },
  functions: { 'count_things()': ['engine'] },
};
const PASSWORDS = Object.fromEntries(ROLE_NAMES.map((role) => [role, `the password of ${role}`]));
const logger = createLogger('roles-spec', 'silent');

let server: PrivateServer;
beforeAll(async () => {
  server = await startPrivatePostgres([
    ...['logging_collector=on', 'log_directory=log', 'log_statement=all', 'log_min_duration_statement=0'],
  ]);
}, 60_000);
afterAll(() => server?.remove());

/** A database as a site has it whose one user, no superuser, owns it and made everything in it. */
async function anOldSite(name: string, user = 'once'): Promise<string> {
  const url = await as(server.url, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [user]);
    if (rowCount === 0) await client.query(`CREATE ROLE ${user} LOGIN CREATEROLE PASSWORD '${user}'`);
    await client.query(`CREATE DATABASE ${name} OWNER ${user}`);
    return loginOf(server.url, user, user, name);
  });
  await as(url, (client) => client.query('CREATE SCHEMA log'));
  const source = await open(url, [CreateThing1700000000000]).initialize();
  await source.runMigrations();
  await source.query('INSERT INTO log.thing (size) VALUES (7)');
  await source.destroy();
  return url;
}

const open = (url: string, migrations: readonly (new () => MigrationInterface)[], rights?: SchemaRights) =>
  createDataSource({
    ...{ url, applicationName: 'roles-spec', schema: 'log', migrations, logger },
    ...{ poolSize: 2, statementTimeoutMs: 3_000, ...(rights === undefined ? {} : { rights }) },
  });

function loginOf(
  address: string,
  user: string,
  password: string,
  database = new URL(address).pathname.slice(1),
): string {
  const url = new URL(address);
  [url.username, url.password, url.pathname] = [user, encodeURIComponent(password), `/${database}`];
  return url.href;
}

async function as<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function migrateAs(url: string, rights: SchemaRights): Promise<void> {
  const source = await open(url, [CreateThing1700000000000, AddName1700000000001], rights).initialize();
  await migrate(source).finally(() => source.destroy());
}

it('takes over the database of a site with one user, who is no superuser: its rows stay, the next migration is the migrator’s', async () => {
  const url = await anOldSite('taken_over');
  const said = await as(url, (client) => makeRoles(client, PASSWORDS));
  expect(said).toEqual(expect.arrayContaining(['made migrator', 'gave log.thing of once to migrator']));
  const left = await as(url, (client) =>
    client.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'log'::regnamespace AND relowner <> 'migrator'::regrole`,
    ),
  );
  expect(left.rows).toEqual([]);
  expect(await as(url, (client) => makeRoles(client, PASSWORDS))).toEqual([]);

  await migrateAs(loginOf(url, 'migrator', PASSWORDS['migrator'] ?? ''), RIGHTS);
  await as(loginOf(url, 'log_engine', PASSWORDS['log_engine'] ?? ''), async (client) => {
    await client.query(`INSERT INTO log.thing (size, name) VALUES (nextval('log.turns'), 'new')`);
    const { rows } = await client.query('SELECT log.count_things()::integer AS things');
    expect(rows).toEqual([{ things: 2 }]);
  });
  await as(loginOf(url, 'log_api', PASSWORDS['log_api'] ?? ''), async (client) => {
    const { rows } = await client.query('SELECT size FROM log.thing ORDER BY id LIMIT 1');
    expect(rows).toEqual([{ size: 7 }]);
    await expect(client.query('SELECT log.count_things()')).rejects.toMatchObject({ code: '42501' });
  });
});

it('lets programs of a release with one user go on, when somebody else takes the database over', async () => {
  const url = await anOldSite('by_another', 'twice');
  const asAdmin = loginOf(server.url, 'aerie', new URL(server.url).password, 'by_another');
  await as(asAdmin, (client) => makeRoles(client, PASSWORDS));
  await as(url, (client) => client.query('INSERT INTO log.thing (size) VALUES (8)'));
  await as(asAdmin, (client) => client.query('REVOKE migrator FROM twice'));
  await as(url, (client) => expect(client.query('SELECT FROM log.thing')).rejects.toMatchObject({ code: '42501' }));
});

it('has no password in the log of the server, though that logs every statement', async () => {
  await as(server.url, async (client) => {
    await makeRoles(client, PASSWORDS);
    const { rows } = await client.query<{ log: string }>('SELECT pg_read_file(pg_current_logfile()) AS log');
    expect(rows[0]?.log).toContain('ROLE log_api LOGIN');
    expect(rows[0]?.log).not.toContain('the password of');
  });
});

it.each([
  ['may read as a superuser', 'ALTER ROLE log_api SUPERUSER', 'ALTER ROLE log_api NOSUPERUSER'],
  ['belongs to a group', 'GRANT migrator TO log_api', 'REVOKE migrator FROM log_api'],
])('leaves a site alone where a role of ours %s, and says which', async (_what, spoil, mend) => {
  await as(server.url, async (client) => {
    await makeRoles(client, PASSWORDS);
    await client.query(spoil);
    await expect(makeRoles(client, PASSWORDS)).rejects.toThrow('log_api: may do more than a role of Aerie');
    await client.query(mend);
  });
});

it.each([
  [
    'a table that nobody is given rights to',
    { tables: { thing: {}, things: {} } },
    'nobody is given rights to log: day',
  ],
  ['rights to a table that is not there', { tables: { ...RIGHTS.tables, gone: {} } }, 'tables that log has not: gone'],
])('fails a migration with %s', async (_what, rights, message) => {
  const name = message.replaceAll(/\W/g, '_');
  const url = await anOldSite(name);
  await as(url, (client) => makeRoles(client, PASSWORDS));
  await expect(migrateAs(loginOf(url, 'migrator', PASSWORDS['migrator'] ?? ''), rights)).rejects.toThrow(message);
});
