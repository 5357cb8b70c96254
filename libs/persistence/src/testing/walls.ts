import { randomUUID } from 'node:crypto';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { ORGANISATION_SETTING } from '../access/policies.js';
import type { SchemaRights } from '../access/rights.js';
import { DOERS, type Doer, MIGRATOR, SCHEMAS, roleOf } from '../access/roles.js';
import { sqlState } from '../database-errors.js';
import { migrateNew } from './migrated-database.js';
import { opened } from './opened.js';

export interface WallsOptions {
  readonly schema: string;
  readonly rights: SchemaRights;
  readonly open: (url: string) => DataSource;
}

const REFUSED = '42501';
const ACTIONS = ['select', 'insert', 'update', 'delete'] as const;
type Action = (typeof ACTIONS)[number];

/**
 * Tries what each role of a service may do and may not, as that role, on a database of its own. A sentence for each statement
 * that was refused although the table of rights allows it, or was not although it does not.
 */
export async function findBreaches({ schema, rights, open }: WallsOptions): Promise<string[]> {
  const { databaseUrl, databasePasswords: passwords } = testEnvironment();
  const database = await createTestDatabase(databaseUrl, 'template_empty', () => Promise.resolve());
  const source = open(database.url);
  const breaches: string[] = [];
  try {
    await opened(source);
    await migrateNew(source);
    const neighbour = await makeNeighbour(source, schema);
    const columns = await columnsOf(source, schema);
    for (const doer of DOERS) {
      const url = new URL(database.url);
      [url.username, url.password] = [roleOf(schema, doer), passwords[roleOf(schema, doer)] ?? ''];
      const client = new Client({ connectionString: url.href });
      await client.connect();
      try {
        for (const [table, names] of columns)
          breaches.push(...(await tryTable(client, schema, table, names, rights, doer)));
        for (const sql of forbidden(schema, neighbour, roleOf(schema, doer))) {
          const state = await stateOf(client, sql);
          if (state !== REFUSED) breaches.push(`${roleOf(schema, doer)} is not refused (${state ?? 'done'}): ${sql}`);
        }
      } finally {
        await client.end();
      }
    }
    return breaches;
  } finally {
    await source.destroy();
    await database.drop();
  }
}

/** As the migrator makes it for another service. */
async function makeNeighbour(source: DataSource, schema: string): Promise<string> {
  const neighbour = SCHEMAS.find((other) => other !== schema) ?? 'other';
  await source.query(`CREATE SCHEMA ${neighbour}; CREATE TABLE ${neighbour}.thing (id integer)`);
  await source.query(
    `ALTER SCHEMA ${neighbour} OWNER TO ${MIGRATOR}; ALTER TABLE ${neighbour}.thing OWNER TO ${MIGRATOR}`,
  );
  return neighbour;
}

/** Of each table its columns, without those that no statement may set. */
async function columnsOf(source: DataSource, schema: string): Promise<Map<string, string[]>> {
  const rows = await source.query<{ name: string; columns: string[] }[]>(
    `SELECT c.relname AS name,
            array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attidentity = '' AND a.attgenerated = '') AS columns
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p') GROUP BY 1 ORDER BY 1`,
    [schema],
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

async function tryTable(
  client: Client,
  schema: string,
  table: string,
  columns: readonly string[],
  rights: SchemaRights,
  doer: Doer,
): Promise<string[]> {
  const words = (table === 'migrations' ? 'select' : (rights.tables[table]?.[doer] ?? '')).split(' ');
  const locked = words.find((word) => word.startsWith('lock:'))?.slice('lock:'.length);
  const column = columns.find((name) => name !== locked) ?? '';
  const name = `"${schema}"."${table}"`;
  const statements: Readonly<Record<Action, string>> = {
    select: `SELECT FROM ${name} LIMIT 0`,
    insert: `INSERT INTO ${name} DEFAULT VALUES`,
    update: `UPDATE ${name} SET "${column}" = DEFAULT WHERE false`,
    delete: `DELETE FROM ${name} WHERE false`,
  };
  const breaches: string[] = [];
  for (const action of ACTIONS) {
    const isRefused = (await stateOf(client, statements[action])) === REFUSED;
    if (isRefused === !words.includes(action)) continue;
    breaches.push(`${roleOf(schema, doer)} ${isRefused ? 'may not' : 'may'} ${action} ${table}`);
  }
  if (locked !== undefined && (await stateOf(client, `SELECT FROM ${name} LIMIT 0 FOR UPDATE`)) !== undefined) {
    breaches.push(`${roleOf(schema, doer)} may not lock ${table}`);
  }
  return breaches;
}

/** What no role of a service may do. */
function forbidden(schema: string, neighbour: string, role: string): string[] {
  const others = [MIGRATOR, ...DOERS.map((doer) => roleOf(schema, doer)), roleOf(neighbour, 'engine')];
  return [
    `SELECT FROM ${neighbour}.thing`,
    `INSERT INTO ${neighbour}.thing VALUES (1)`,
    `DROP TABLE ${neighbour}.thing`,
    `DROP SCHEMA ${neighbour} CASCADE`,
    `CREATE TABLE ${neighbour}.mine (id integer)`,
    `CREATE TABLE ${schema}.mine (id integer)`,
    `CREATE VIEW ${schema}.mine AS SELECT 1 AS one`,
    `CREATE FUNCTION ${schema}.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
    'CREATE TABLE public.mine (id integer)',
    'CREATE TEMPORARY TABLE mine (id integer)',
    'CREATE SCHEMA mine',
    'CREATE ROLE mine',
    `ALTER TABLE ${schema}.migrations ADD COLUMN mine integer`,
    `TRUNCATE ${schema}.migrations`,
    `DROP TABLE ${schema}.migrations`,
    `DROP SCHEMA ${schema} CASCADE`,
    `INSERT INTO ${schema}.migrations (timestamp, name) VALUES (1, 'mine')`,
    `SELECT pg_read_file('/etc/passwd')`,
    `COPY (SELECT 1) TO PROGRAM 'true'`,
    `ALTER ROLE ${role} SUPERUSER`,
    ...others.filter((other) => other !== role).map((other) => `SET ROLE ${other}`),
  ];
}

/** Of what the server says to a statement, which leaves nothing behind; undefined: it was done. */
async function stateOf(client: Client, sql: string): Promise<string | undefined> {
  await client.query('BEGIN');
  try {
    // For an organisation that has no rows: the policies want to know one.
    await client.query('SELECT set_config($1, $2, true)', [ORGANISATION_SETTING, randomUUID()]);
    await client.query(sql);
    return undefined;
  } catch (error) {
    // The role may do this, with other rows: "new row violates row-level security policy" has the same state as no right.
    if ((error as { routine?: unknown }).routine === 'ExecWithCheckOptions') return 'policy';
    return sqlState(error) ?? 'lost';
  } finally {
    await client.query('ROLLBACK');
  }
}
