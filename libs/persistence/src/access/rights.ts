import { InvalidError } from '@aerie/kernel';
import type { QueryRunner } from 'typeorm';
import { DOERS, type Doer, MIGRATOR, roleOf } from './roles.js';
import { runTogether } from './run-together.js';

/**
 * What may be done with the rows of a table: of `select insert update delete`, with spaces between. `lock:COLUMN` lets
 * a role lock a row that it may not change, which deleting in batches needs: PostgreSQL asks for UPDATE of a column for that,
 * so it is a key that nothing is gained by changing.
 */
export type Rights = string;

/**
 * Who may do what with a table, and whose its rows are. A row with an `organisation_id` is that organisation's; a table without
 * that column says what else decides.
 */
export interface TableRights extends Readonly<Partial<Record<Doer, Rights>>> {
  /** Each row is of the organisation of a row of `table`, whose `key` (`id`) is in the column `by`. */
  readonly belongsTo?: { readonly table: string; readonly by: string; readonly key?: string };
  /**
   * The column with the serial number of the dock that a row is about: whoever is limited to docks reaches the rows of these
   * alone. Without it that is `dock_sn`, if there is one; but a row that `belongsTo` another is reached where that is.
   */
  readonly dock?: string;
  /** The API reaches all of its rows, for this reason. */
  readonly ofNobody?: string;
  /** A condition of its own, in the place of all others. It raises where neither an organisation nor a person is set. */
  readonly reachedWhere?: string;
}

/** Who may do what in a schema. Nobody may do anything else. */
export interface SchemaRights {
  /** By table; a partition is reached through its table, unless it is named. */
  readonly tables: Readonly<Record<string, TableRights>>;
  /** The API reaches the rows of one organisation alone. */
  readonly isWalled?: true;
  /** Who may count on with a sequence that is no column's own; that of an identity column needs nobody's right. */
  readonly sequences?: Readonly<Record<string, readonly Doer[]>>;
  /** Who may call a function, by its name with the types of its arguments. Triggers need nobody's right. */
  readonly functions?: Readonly<Record<string, readonly Doer[]>>;
}

/** Where TypeORM notes which migrations have run; programs wait for them. */
const NOTES = 'migrations';

/**
 * Gives the roles of a schema what the table says, and takes away all else. In one transaction: no replica meets a moment
 * without its rights. @throws where a table has no row, or a row has no table
 */
export async function grantRights(runner: QueryRunner, schema: string, rights: SchemaRights): Promise<void> {
  const tables: SchemaRights['tables'] = { ...rights.tables, [NOTES]: { api: 'select', engine: 'select' } };
  await compare(runner, schema, tables);
  const roles = DOERS.map((doer) => roleOf(schema, doer)).join(', ');
  const statements = [
    `REVOKE ALL ON SCHEMA "${schema}" FROM PUBLIC, ${roles}`,
    `GRANT USAGE ON SCHEMA "${schema}" TO ${roles}`,
    `REVOKE ALL ON ALL TABLES IN SCHEMA "${schema}" FROM PUBLIC, ${roles}`,
    `REVOKE ALL ON ALL SEQUENCES IN SCHEMA "${schema}" FROM PUBLIC, ${roles}`,
    `REVOKE ALL ON ALL ROUTINES IN SCHEMA "${schema}" FROM PUBLIC, ${roles}`,
    ...Object.entries(tables).flatMap(([table, ofDoers]) =>
      DOERS.flatMap((doer) => {
        const list = privilegesOf(ofDoers[doer] ?? '');
        return list === '' ? [] : [`GRANT ${list} ON "${schema}"."${table}" TO ${roleOf(schema, doer)}`];
      }),
    ),
    ...Object.entries(rights.sequences ?? {}).flatMap(([name, doers]) =>
      doers.map((doer) => `GRANT USAGE ON SEQUENCE "${schema}"."${name}" TO ${roleOf(schema, doer)}`),
    ),
    ...Object.entries(rights.functions ?? {}).flatMap(([name, doers]) =>
      doers.map((doer) => `GRANT EXECUTE ON FUNCTION "${schema}".${name} TO ${roleOf(schema, doer)}`),
    ),
  ];
  await runTogether(runner, statements);
}

/** `select delete lock:id` as GRANT says it. */
export function privilegesOf(rights: Rights): string {
  return rights
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [what = '', column] = word.split(':');
      if (what === 'lock' && column !== undefined) return `UPDATE ("${column}")`;
      if (!PRIVILEGES.has(word)) throw new Error(`"${word}" is no right to a table`);
      return word.toUpperCase();
    })
    .join(', ');
}

const PRIVILEGES = new Set(['select', 'insert', 'update', 'delete']);

async function compare(runner: QueryRunner, schema: string, tables: SchemaRights['tables']): Promise<void> {
  const rows = (await runner.query(
    `SELECT relname AS name, relispartition AS "isPart" FROM pg_class
      WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY relname`,
    [`"${schema}"`],
  )) as { name: string; isPart: boolean }[];
  const all = new Set(rows.map(({ name }) => name));
  const unnamed = rows.filter(({ name, isPart }) => !isPart && !(name in tables)).map(({ name }) => name);
  const unknown = Object.keys(tables).filter((name) => !all.has(name));
  if (unnamed.length > 0) throw new Error(`nobody is given rights to ${schema}: ${unnamed.join(', ')}`);
  if (unknown.length > 0) throw new Error(`rights are given to tables that ${schema} has not: ${unknown.join(', ')}`);
}

/** Before anything is migrated. @throws InvalidError where the roles of the site were not made */
export async function checkRoles(runner: QueryRunner, schema: string): Promise<void> {
  const names = [MIGRATOR, ...DOERS.map((doer) => roleOf(schema, doer))];
  const rows = (await runner.query('SELECT rolname AS name FROM pg_roles WHERE rolname = ANY($1)', [names])) as {
    name: string;
  }[];
  const missing = names.filter((name) => !rows.some((row) => row.name === name));
  if (missing.length === 0) return;
  const message = `leads to a PostgreSQL without the roles ${missing.join(', ')}: run make-database-roles.js of site-setup first`;
  throw new InvalidError('no_roles', `failed to migrate: DATABASE_URL ${message}`, {
    fields: [{ field: 'DATABASE_URL', message }],
  });
}
