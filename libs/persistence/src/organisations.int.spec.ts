import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivatePostgres } from '@aerie/testing';
import { Client } from 'pg';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { makeRoles } from './access/make-roles.js';
import type { SchemaRights } from './access/rights.js';
import { ROLE_NAMES } from './access/roles.js';
import { createDataSource } from './data-source.js';
import { sqlState } from './database-errors.js';
import { migrate } from './migrate.js';
import { ApiDatabase, wholeOf } from './organisations.js';
import { inTransaction } from './transaction.js';

class CreateThing1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE log.thing (id integer PRIMARY KEY, organisation_id uuid NOT NULL, size integer CHECK (size > 0));
      CREATE TABLE log.flight (id integer PRIMARY KEY, organisation_id uuid NOT NULL, dock_sn text);
      INSERT INTO log.flight VALUES (1, '${A}', 'ONE'), (2, '${A}', 'TWO'), (3, '${A}', NULL), (4, '${B}', 'ONE'),
        (5, '${A}', 'NULL');
      CREATE TABLE log.report (id integer PRIMARY KEY, flight_id integer NOT NULL REFERENCES log.flight (id));
      INSERT INTO log.report SELECT id, id FROM log.flight;
      CREATE TABLE log.part (
        id integer PRIMARY KEY, thing_id integer NOT NULL REFERENCES log.thing (id) DEFERRABLE INITIALLY DEFERRED);
      INSERT INTO log.thing VALUES (1, '${A}', 1), (2, '${B}', 2)`);
  }
  async down(): Promise<void> {}
}

const [A, B] = ['aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'] as const;
const ALL = 'select insert update delete';
const RIGHTS: SchemaRights = {
  isWalled: true,
  tables: {
    thing: { api: ALL, engine: ALL },
    flight: { api: ALL, engine: ALL },
    report: { api: ALL, engine: ALL, belongsTo: { table: 'flight', by: 'flight_id' } },
    part: { api: ALL, engine: ALL, belongsTo: { table: 'thing', by: 'thing_id' } },
  },
};
const PASSWORDS = Object.fromEntries(ROLE_NAMES.map((role) => [role, `of ${role}`]));
const logger = createLogger('organisations-spec', 'silent');
const SIZES = 'SELECT id, size FROM log.thing ORDER BY id';

let server: PrivateServer;
/** One connection: each transaction follows the one before on it. */
let pool: DataSource;
let database: ApiDatabase;

beforeAll(async () => {
  server = await startPrivatePostgres();
  await as(server.url, (client) => makeRoles(client, PASSWORDS));
  await migrateWith(RIGHTS);
  pool = await open(loginOf('log_api')).initialize();
  database = new ApiDatabase(pool);
}, 60_000);
afterAll(async () => {
  await pool?.destroy();
  await server?.remove();
});

const open = (url: string, rights?: SchemaRights): DataSource =>
  createDataSource({
    ...{ url, applicationName: 'organisations-spec', schema: 'log', migrations: [CreateThing1700000000000], logger },
    ...{ poolSize: rights === undefined ? 1 : 2, statementTimeoutMs: 3_000 },
    ...(rights === undefined ? {} : { rights }),
  });

async function migrateWith(rights: SchemaRights, url = loginOf('migrator')): Promise<void> {
  const source = await open(url, rights).initialize();
  await migrate(source).finally(() => source.destroy());
}

function loginOf(role: string, password = PASSWORDS[role] ?? ''): string {
  const url = new URL(server.url);
  [url.username, url.password] = [role, encodeURIComponent(password)];
  return url.href;
}

async function as<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return work(client).finally(() => client.end());
}

const stateOf = (work: Promise<unknown>): Promise<string | undefined> => work.then(() => undefined, sqlState);

describe('the API of a service', () => {
  it('reads and changes the rows of the organisation that it names, whatever the statement says', async () => {
    expect(await database.of(A).query(SIZES)).toEqual([{ id: 1, size: 1 }]);
    expect(await database.of(B).run('UPDATE log.thing SET size = size + 10')).toBe(1);
    expect(await inTransaction(database.of(B), (tx) => tx.query(SIZES))).toEqual([{ id: 2, size: 12 }]);
    expect(await stateOf(database.of(B).run(`INSERT INTO log.thing VALUES (3, '${A}', 1)`))).toBe('42501');
    expect(await stateOf(database.of(B).run('INSERT INTO log.part VALUES (1, 1)'))).toBe('42501');
  });

  it('leaves nothing of it to the next transaction on its connection: that raises', async () => {
    const nobody = new ApiDatabase(pool).of('');
    expect(await stateOf(pool.query(SIZES))).toBe('22P02');
    expect(await stateOf(nobody.query(SIZES))).toBe('22P02');
    expect(await stateOf(inTransaction(nobody, (tx) => tx.query(SIZES)))).toBe('22P02');
    await as(loginOf('log_api'), (client) => expect(client.query(SIZES)).rejects.toMatchObject({ code: '42704' }));
  });

  const FLIGHTS = 'SELECT id FROM log.flight ORDER BY id';
  const REPORTS = 'SELECT id FROM log.report ORDER BY id';
  const idsOf = async (rows: Promise<{ id: number }[]>): Promise<number[]> => (await rows).map(({ id }) => id);
  const atDocks = (...dockSns: string[]) => database.of({ organisationId: A, dockSns });

  it('reaches rows of the docks that it names, and what belongs to these rows', async () => {
    for (const sql of [FLIGHTS, REPORTS]) {
      expect(await idsOf(database.of(wholeOf(A)).query(sql))).toEqual([1, 2, 3, 5]);
      expect(await idsOf(atDocks('ONE', 'THREE').query(sql))).toEqual([1]);
      expect(await idsOf(inTransaction(atDocks('TWO'), (tx) => tx.query(sql)))).toEqual([2]);
      expect(await idsOf(atDocks('ONE', 'NULL').queryByKeys(sql, []))).toEqual([1, 5]);
      expect(await idsOf(atDocks().query(sql))).toEqual([]);
      expect(await idsOf(atDocks('{*}', '*', 'ONE,TWO', '"').query(sql))).toEqual([]);
    }
    expect(await atDocks('ONE').run(`UPDATE log.flight SET dock_sn = dock_sn`)).toBe(1);
    expect(await stateOf(atDocks('ONE').run(`UPDATE log.flight SET dock_sn = 'TWO' WHERE id = 1`))).toBe('42501');
    expect(await stateOf(atDocks('ONE').run(`INSERT INTO log.flight VALUES (9, '${A}', 'TWO')`))).toBe('42501');
    expect(await stateOf(atDocks('ONE').run('INSERT INTO log.report VALUES (9, 2)'))).toBe('42501');
  });

  it('reaches no row of a dock where nobody says of which docks: that raises', async () => {
    for (const sql of [FLIGHTS, REPORTS]) {
      await database.of(wholeOf(A)).query(sql);
      expect(await stateOf(database.of(A).query(sql))).toBe('22P02');
      expect(await stateOf(inTransaction(database.of(A), (tx) => tx.query(sql)))).toBe('22P02');
      await as(loginOf('log_api'), async (client) => {
        await client.query(`BEGIN; SELECT set_config('aerie.organisation_id', '${A}', true)`);
        await expect(client.query(sql)).rejects.toMatchObject({ code: '42704' });
      });
    }
  });

  it('runs a statement that fails for itself alone, and says why', async () => {
    expect(await stateOf(database.of(A).run('UPDATE log.thing SET size = 0'))).toBe('23514');
    expect(await database.of(A).query(SIZES)).toEqual([{ id: 1, size: 1 }]);
  });

  it('says what fails only when it is committed', async () => {
    await database.of(A).run('INSERT INTO log.part VALUES (7, 1)');
    expect(await stateOf(database.of(A).run('DELETE FROM log.thing'))).toBe('23503');
    expect(await database.of(A).query(SIZES)).toEqual([{ id: 1, size: 1 }]);
  });
});

it('lets a program of a release with one user see everything: a superuser, and an owner who is a member of migrator', async () => {
  const count = 'SELECT count(*)::integer AS things FROM log.thing';
  const everything = [{ things: 2 }];
  await as(server.url, async (client) => {
    expect((await client.query(count)).rows).toEqual(everything);
    await client.query(`CREATE ROLE once LOGIN PASSWORD 'once'; GRANT migrator TO once`);
  });
  await as(loginOf('once', 'once'), async (client) => expect((await client.query(count)).rows).toEqual(everything));
  // Owner of the table alone: FORCE binds it, and no policy is for it.
  await as(server.url, async (client) => {
    await client.query(
      'REVOKE migrator FROM once; GRANT USAGE ON SCHEMA log TO once; ALTER TABLE log.thing OWNER TO once',
    );
    await client.query('SET ROLE once');
    expect((await client.query(count)).rows).toEqual([{ things: 0 }]);
    await client.query('RESET ROLE');
    await client.query('ALTER TABLE log.thing OWNER TO migrator');
  });
});

it('makes the policies of a table once, and again where they are others, without waiting in the way of anybody', async () => {
  const idsOf = () =>
    as(server.url, async (client) => {
      const { rows } = await client.query<{ id: string }>('SELECT oid::text AS id FROM pg_policy ORDER BY oid');
      return rows.map(({ id }) => id);
    });
  const before = await idsOf();
  await migrateWith(RIGHTS);
  expect(await idsOf()).toEqual(before);

  await as(server.url, async (client) => {
    await client.query('ALTER TABLE log.thing NO FORCE ROW LEVEL SECURITY; DROP POLICY api ON log.part');
    await client.query('BEGIN; SELECT 1 FROM log.part');
    const mending = migrateWith(RIGHTS);
    // Longer than it waits for a lock: it comes again.
    await client.query('SELECT pg_sleep(1)');
    await client.query('COMMIT');
    await mending;
  });
  expect((await idsOf()).length).toBe(before.length);
  expect(await stateOf(database.of(B).run('INSERT INTO log.part VALUES (1, 1)'))).toBe('42501');
});

it.each<[string, SchemaRights['tables'], string]>([
  ['nothing of whose its rows are', { part: { api: 'select' } }, 'nobody says whose the rows of log.part are'],
  [
    'that it is of nobody, and has an organisation',
    { thing: { api: 'select', ofNobody: 'so' } },
    'log.thing has an organisation_id, and its rights say otherwise',
  ],
])('fails the migration of a table that says %s', async (_what, tables, message) => {
  await expect(migrateWith({ ...RIGHTS, tables: { ...RIGHTS.tables, ...tables } })).rejects.toThrow(message);
});

it('fails a migration that leaves a view to all who may read it', async () => {
  await as(server.url, (client) =>
    client.query('CREATE VIEW log.things AS SELECT id FROM log.thing; ALTER VIEW log.things OWNER TO migrator'),
  );
  const rights = { ...RIGHTS, tables: { ...RIGHTS.tables, things: { api: 'select' } } };
  await expect(migrateWith(rights)).rejects.toThrow('views of log without security_invoker: things');
  await as(server.url, (client) => client.query('ALTER VIEW log.things SET (security_invoker = true)'));
  await migrateWith(rights);
  expect(await database.of(A).query('SELECT id FROM log.things')).toEqual([{ id: 1 }]);
});
