import { randomUUID } from 'node:crypto';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { DOCKS_SETTING, EVERY_DOCK, ORGANISATION_SETTING, PERSON_SETTING } from '../access/policies.js';
import type { SchemaRights, TableRights } from '../access/rights.js';
import { type Doer, roleOf } from '../access/roles.js';
import { sqlState } from '../database-errors.js';
import { migrateNew } from './migrated-database.js';
import type { WallsOptions } from './walls.js';
import { opened } from './opened.js';

const [A, B] = ['aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'] as const;

/** Nothing was set on this connection. */
const NEVER_SET = '42704';
/** What was set went with its transaction, and left the empty text. */
const EMPTY = '22P02';
const REFUSED = '42501';

/**
 * Puts a row of two organisations into each table, on a database of its own, and tries as the roles of a service to reach the
 * row of one while working for the other. A sentence for each table that is not as it should be.
 */
export async function findLeaks({
  schema,
  rights,
  open,
  valuesOf = {},
  ofPersons = [],
}: LeaksOptions): Promise<string[]> {
  const { databaseUrl, databasePasswords: passwords } = testEnvironment();
  const database = await createTestDatabase(databaseUrl, 'template_empty', () => Promise.resolve());
  const source = open(database.url);
  const as = async <Result>(doer: Doer, work: (client: Client) => Promise<Result>): Promise<Result> => {
    const url = new URL(database.url);
    [url.username, url.password] = [roleOf(schema, doer), passwords[roleOf(schema, doer)] ?? ''];
    const client = new Client({ connectionString: url.href });
    await client.connect();
    return work(client).finally(() => client.end());
  };
  try {
    await opened(source);
    await migrateNew(source);
    const tables = await makeRows(source, schema, rights, { valuesOf, ofPersons });
    const leaks: string[] = [];
    for (const table of tables) {
      leaks.push(...(await as('api', (client) => tryUnset(client, table))));
      leaks.push(...(await as('api', (client) => tryAsOther(client, table))));
      if (table.dock !== null) leaks.push(...(await as('api', (client) => tryOtherDocks(client, table))));
      leaks.push(...(await as('engine', (client) => tryEngine(client, table))));
    }
    return leaks;
  } finally {
    await source.destroy();
    await database.drop();
  }
}

export interface LeaksOptions extends WallsOptions {
  /** Tables of what is a person's own: the transaction is for a person, with the id of the organisation in its place. */
  readonly ofPersons?: readonly string[];
  /** By table and column, what the row of an organisation has there, where something else than `organisation_id` says whose it is. */
  readonly valuesOf?: Readonly<Record<string, Readonly<Record<string, (organisation: string) => unknown>>>>;
}

interface Column {
  readonly name: string;
  readonly type: string;
  /** No statement may set it. */
  readonly isMade: boolean;
}

interface Table {
  readonly name: string;
  readonly rights: TableRights;
  /** The column that says whose a row is. */
  readonly owner: string;
  /** What a transaction sets to be for that one. */
  readonly setting: string;
  /** The column that says about which dock a row is, or null; of a child that of its parent. */
  readonly dock: DockColumn | null;
  readonly columns: readonly Column[];
  /** The row of each organisation, as PostgreSQL writes it in JSON. */
  readonly rows: Readonly<Record<string, string>>;
}

/** Whose column it is: that of the table itself, or of the table that a row belongs to. */
interface DockColumn {
  readonly name: string;
  readonly isOwn: boolean;
}

/** Rows without a sense: what they have to be like is none of our business here, so their constraints are dropped. */
async function makeRows(
  source: DataSource,
  schema: string,
  rights: SchemaRights,
  { valuesOf, ofPersons }: Required<Pick<LeaksOptions, 'valuesOf' | 'ofPersons'>>,
): Promise<Table[]> {
  const constraints = await source.query<{ table: string; name: string }[]>(
    `SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name FROM pg_constraint
      WHERE connamespace = $1::regnamespace AND contype IN ('c', 'f') AND conparentid = 0 AND coninhcount = 0`,
    [schema],
  );
  for (const { table, name } of constraints) await source.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  const made = new Map<string, Table>();
  const make = async (name: string): Promise<Table> => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const ofTable = rights.tables[name] ?? {};
    const columns = await columnsOf(source, schema, name);
    const rows: Record<string, string> = {};
    const parent = ofTable.belongsTo && (await make(ofTable.belongsTo.table));
    for (const organisation of [A, B]) {
      const linked = parent && ofTable.belongsTo && valueOf(parent, organisation, ofTable.belongsTo.key ?? 'id');
      const values = columns
        .filter(({ isMade }) => !isMade)
        .map((column) => {
          const given = valuesOf[name]?.[column.name];
          if (given !== undefined) return given(organisation);
          if (column.name === 'organisation_id') return organisation;
          return column.name === ofTable.belongsTo?.by ? linked : somethingOf(column.type);
        });
      const names = columns.filter(({ isMade }) => !isMade).map((column) => `"${column.name}"`);
      const places = values.map((_value, index) => `$${index + 1}`);
      const [row] = await source.query<{ row: string }[]>(
        `INSERT INTO "${schema}"."${name}" AS t (${names.join(', ')}) VALUES (${places.join(', ')}) RETURNING to_jsonb(t)::text AS row`,
        values,
      );
      rows[organisation] = row?.row ?? '';
    }
    const owner = Object.keys(valuesOf[name] ?? {})[0] ?? ofTable.belongsTo?.by ?? 'organisation_id';
    const setting = ofPersons.includes(name) ? PERSON_SETTING : ORGANISATION_SETTING;
    const own = ofTable.dock ?? columns.find((column) => column.name === 'dock_sn')?.name;
    const ofParent = parent?.dock == null ? null : { name: parent.dock.name, isOwn: false };
    const ofItself = own === undefined ? null : { name: own, isOwn: true };
    const isAlone = ofTable.reachedWhere !== undefined || ofTable.ofNobody !== undefined;
    const isChild = parent !== undefined && ofTable.dock === undefined;
    const dock = isAlone ? null : isChild ? ofParent : ofItself;
    const table = { name: `"${schema}"."${name}"`, rights: ofTable, owner, setting, dock, columns, rows };
    made.set(name, table);
    return table;
  };
  // The rows of a partition are those of its table.
  const parts = await source.query<{ name: string }[]>(
    'SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relispartition',
    [schema],
  );
  const found: Table[] = [];
  for (const [name, { ofNobody }] of Object.entries(rights.tables)) {
    if (ofNobody === undefined && !parts.some((part) => part.name === name)) found.push(await make(name));
  }
  return found;
}

const valueOf = (table: Table, organisation: string, column: string): unknown =>
  (JSON.parse(table.rows[organisation] ?? '') as Record<string, unknown>)[column];

const columnsOf = (source: DataSource, schema: string, table: string): Promise<Column[]> =>
  source.query<Column[]>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attidentity <> '' OR attgenerated <> '' AS "isMade"
       FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [`"${schema}"."${table}"`],
  );

/** Another one each time, of a type that tables here have. */
function somethingOf(type: string): unknown {
  if (type.endsWith('[]')) return [];
  if (/^(integer|smallint|bigint|numeric|double precision|real)/.test(type)) return Math.floor(Math.random() * 30_000);
  if (type.startsWith('timestamp') || type === 'date') return new Date();
  const made: Readonly<Record<string, unknown>> = {
    ...{ uuid: randomUUID(), text: randomUUID(), bytea: Buffer.from(randomUUID()), boolean: false, jsonb: '{}' },
    ...{ tstzrange: '[2030-01-01, 2030-01-02)', cidr: '192.0.2.0/24', inet: '192.0.2.1', 'cidr[]': [] },
  };
  if (!(type in made)) throw new Error(`there is no value for a column of the type ${type}`);
  return made[type];
}

/** Statements without a WHERE, of those that the role may run. */
function statementsOf({ name, rights, columns }: Table): string[] {
  const words = (rights.api ?? '').split(' ');
  const column = columns.find(({ isMade }) => !isMade)?.name ?? '';
  return [
    ...(words.includes('select') ? [`SELECT * FROM ${name}`] : []),
    ...(words.includes('update') ? [`UPDATE ${name} SET "${column}" = "${column}"`] : []),
    ...(words.includes('delete') ? [`DELETE FROM ${name}`] : []),
  ];
}

async function tryUnset(client: Client, table: Table): Promise<string[]> {
  const statements = [...statementsOf(table), ...insertOf(table, A)];
  const leaks: string[] = [];
  const expectState = async (wanted: string): Promise<void> => {
    for (const sql of statements) {
      const { state } = await outcomeOf(client, null, sql);
      if (state !== wanted) leaks.push(`with no organisation (${wanted} is due): ${state ?? 'done'} for ${sql}`);
    }
  };
  await expectState(NEVER_SET);
  await outcomeOf(client, [table.setting, A], 'SELECT 1');
  await expectState(EMPTY);
  return leaks;
}

async function tryAsOther(client: Client, table: Table): Promise<string[]> {
  const leaks: string[] = [];
  for (const sql of statementsOf(table)) {
    const { state, touched } = await outcomeOf(client, [table.setting, B], sql);
    if (state !== undefined || touched !== 1) leaks.push(`touches ${state ?? touched} rows instead of its one: ${sql}`);
  }
  for (const sql of insertOf(table, A)) {
    const { state } = await outcomeOf(client, [table.setting, B], sql);
    if (state !== REFUSED) leaks.push(`is not refused a row of another (${state ?? 'done'}): ${sql}`);
  }
  // The same of its own is a row that is there already, or a second one like it.
  for (const sql of insertOf(table, B)) {
    const { state } = await outcomeOf(client, [table.setting, B], sql);
    if (state === REFUSED) leaks.push(`is refused a row of its own: ${sql}`);
  }
  const words = (table.rights.api ?? '').split(' ');
  if (words.includes('update')) {
    const sql = `UPDATE ${table.name} SET "${table.owner}" = (jsonb_populate_record(NULL::${table.name}, ${literal(table.rows[A])}))."${table.owner}"`;
    const { state } = await outcomeOf(client, [table.setting, B], sql);
    if (state !== REFUSED) leaks.push(`gives its row to another (${state ?? 'done'}): ${sql}`);
  }
  return leaks;
}

/** Works for the organisation whose rows these are, and for a dock that none of them is about. */
async function tryOtherDocks(client: Client, table: Table): Promise<string[]> {
  const leaks: string[] = [];
  for (const docks of ['{}', '{"ANOTHER-DOCK"}']) {
    for (const sql of statementsOf(table)) {
      const { state, touched } = await outcomeOf(client, [table.setting, B], sql, docks);
      if (state !== undefined || touched !== 0) leaks.push(`touches ${state ?? touched} rows of another dock: ${sql}`);
    }
    for (const sql of insertOf(table, B)) {
      const { state } = await outcomeOf(client, [table.setting, B], sql, docks);
      if (state !== REFUSED) leaks.push(`is not refused a row of another dock (${state ?? 'done'}): ${sql}`);
    }
  }
  for (const sql of statementsOf(table)) {
    const { state } = await outcomeOf(client, [table.setting, B], sql, null);
    if (state === undefined) leaks.push(`is not told for which docks, and does: ${sql}`);
  }
  if (!table.dock?.isOwn) return leaks;
  const { [table.dock.name]: sn } = JSON.parse(table.rows[B] ?? '') as Record<string, unknown>;
  for (const sql of statementsOf(table)) {
    const { state, touched } = await outcomeOf(client, [table.setting, B], sql, `{"${String(sn)}"}`);
    if (state !== undefined || touched !== 1) leaks.push(`touches ${state ?? touched} rows of its dock: ${sql}`);
  }
  return leaks;
}

async function tryEngine(client: Client, { name, rights }: Table): Promise<string[]> {
  if (!(rights.engine ?? '').split(' ').includes('select')) return [];
  const { state, touched } = await outcomeOf(client, null, `SELECT * FROM ${name}`);
  return state === undefined && touched >= 2 ? [] : [`the engine finds ${state ?? touched} of two rows in ${name}`];
}

function insertOf({ name, rights, columns, rows }: Table, organisation: string): string[] {
  if (!(rights.api ?? '').split(' ').includes('insert')) return [];
  const names = columns.filter(({ isMade }) => !isMade).map((column) => `"${column.name}"`);
  const list = names.join(', ');
  return [
    `INSERT INTO ${name} (${list}) SELECT ${list} FROM jsonb_populate_record(NULL::${name}, ${literal(rows[organisation])})`,
  ];
}

const literal = (text = ''): string => `'${text.replaceAll("'", "''")}'`;

/** Of a statement in a transaction with a setting, which leaves nothing behind. */
async function outcomeOf(
  client: Client,
  setting: readonly [name: string, value: string] | null,
  sql: string,
  docks: string | null = EVERY_DOCK,
): Promise<{ readonly state?: string; readonly touched: number }> {
  await client.query('BEGIN');
  try {
    if (setting !== null) await client.query('SELECT set_config($1, $2, true)', [...setting]);
    if (setting !== null && docks !== null) {
      await client.query('SELECT set_config($1, $2, true)', [DOCKS_SETTING, docks]);
    }
    const { rowCount } = await client.query(sql);
    return { touched: rowCount ?? 0 };
  } catch (error) {
    return { state: sqlState(error) ?? 'lost', touched: 0 };
  } finally {
    await client.query('ROLLBACK');
  }
}
