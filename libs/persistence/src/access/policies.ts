import type { QueryRunner } from 'typeorm';
import type { SchemaRights, TableRights } from './rights.js';
import { DOERS, MIGRATOR, roleOf } from './roles.js';
import { runTogether } from './run-together.js';

/** Which organisation a request is for, in the transaction that it has begun. */
export const ORGANISATION_SETTING = 'aerie.organisation_id';

/** Which docks of it, in the same transaction: an array of their serial numbers, or `EVERY_DOCK`. */
export const DOCKS_SETTING = 'aerie.docks';
/** No serial number has a star. */
export const EVERY_DOCK = '{*}';

/** In fleet-service: whose own rows a transaction is for, in whatever organisation. */
export const PERSON_SETTING = 'aerie.person_id';

/**
 * Raises where nothing is set, and where it is empty: what a transaction has set is the empty text once that has ended.
 * It raises for a table with any row; in one without rows there may be nothing to compare.
 */
export const ORGANISATION = `current_setting('${ORGANISATION_SETTING}')::uuid`;

/**
 * Looks at the setting once for each statement and not for each row; serial numbers are hashed then. The inner select keeps the
 * planner from looking at it where nobody asks for a row. Raises as `ORGANISATION` does: the empty text is no array.
 * Only what leaks nothing is asked of the column, so an index may be used before it.
 */
const ofReachedDock = (column: string): string =>
  `((SELECT current_setting('${DOCKS_SETTING}') = '${EVERY_DOCK}')
    OR "${column}" IN (SELECT unnest((SELECT current_setting('${DOCKS_SETTING}')::text[]))))`;

const ifAny = (setting: string): string => `nullif(current_setting('${setting}', true), '')::uuid`;
/** Null where none is set. For conditions in which a person may be in its place. */
export const ORGANISATION_IF_ANY = ifAny(ORGANISATION_SETTING);
export const PERSON = ifAny(PERSON_SETTING);
/** Raises as `ORGANISATION` does, for rows that are a person's own and no organisation's. */
export const PERSON_ALONE = `current_setting('${PERSON_SETTING}')::uuid`;

interface Table {
  readonly name: string;
  /** The type of its column `organisation_id`; null where it has none. */
  readonly organisationType: string | null;
  readonly hasDock: boolean;
  readonly isForced: boolean;
  /** What each of its policies was made from, by name. */
  readonly policies: Readonly<Record<string, string | null>>;
}

const TABLES = `
  SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS "isForced",
         (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attname = 'organisation_id' AND NOT a.attisdropped) AS "organisationType",
         EXISTS (SELECT FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attname = 'dock_sn' AND NOT a.attisdropped) AS "hasDock",
         coalesce((SELECT jsonb_object_agg(p.polname, obj_description(p.oid, 'pg_policy'))
                     FROM pg_policy p WHERE p.polrelid = c.oid), '{}') AS policies
    FROM pg_class c
   WHERE c.relnamespace = to_regnamespace($1) AND c.relname = ANY($2) AND c.relkind IN ('r', 'p')
   ORDER BY c.relname`;

/** A view is read with the rights of its owner, whom no organisation binds. */
const VIEWS = `
  SELECT relname AS name FROM pg_class
   WHERE relnamespace = to_regnamespace($1)
     AND (relkind = 'm' OR relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY(reloptions), false))
   ORDER BY relname`;

/**
 * Lets the API reach the rows of one organisation alone, in each table; the engine and the migrator reach all. Touches only
 * tables that are not so yet, each in a transaction of its own that runs through `patiently`: it locks the table.
 * @throws where a table does not say whose its rows are
 */
export async function wallTables(
  runner: QueryRunner,
  schema: string,
  rights: SchemaRights,
  patiently: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const views = (await runner.query(VIEWS, [`"${schema}"`])) as { name: string }[];
  if (views.length > 0) {
    throw new Error(`views of ${schema} without security_invoker: ${views.map(({ name }) => name).join(', ')}`);
  }
  const tables = (await runner.query(TABLES, [`"${schema}"`, Object.keys(rights.tables)])) as Table[];
  for (const table of tables) {
    const policies = policiesOf(schema, table, rights);
    if (table.isForced && isSame(table.policies, policies)) continue;
    await patiently(() => wall(runner, schema, table, policies));
  }
}

type Policies = Readonly<Record<string, string>>;

function isSame(present: Table['policies'], wanted: Policies): boolean {
  const names = new Set([...Object.keys(present), ...Object.keys(wanted)]);
  return [...names].every((name) => present[name] === wanted[name]);
}

/** Of each policy what follows `CREATE POLICY … ON …`. */
function policiesOf(schema: string, table: Table, { tables }: SchemaRights): Policies {
  const rights = tables[table.name] ?? {};
  const rows = conditionOf(schema, table, rights, tables);
  const of = (role: string, condition: string): string => `TO ${role} USING (${condition}) WITH CHECK (${condition})`;
  return {
    // Also for who has no right to the table: then it means nothing.
    ...Object.fromEntries(DOERS.map((doer) => [doer, of(roleOf(schema, doer), doer === 'api' ? rows : 'true')])),
    // What migrates, and functions that it owns. Its policy holds for its members too, as an owner of the database is one.
    [MIGRATOR]: of(MIGRATOR, 'true'),
  };
}

/** When a row is one that the API may reach. */
function conditionOf(schema: string, table: Table, rights: TableRights, tables: SchemaRights['tables']): string {
  const { belongsTo, ofNobody, reachedWhere } = rights;
  if (reachedWhere !== undefined) return reachedWhere;
  const whose = ofOrganisation(schema, table, rights, tables);
  // A row of a parent is seen where the caller reaches the dock of the parent.
  const hasOwn = table.hasDock && belongsTo === undefined && ofNobody === undefined;
  const dock = rights.dock ?? (hasOwn ? 'dock_sn' : undefined);
  return dock === undefined ? whose : `${whose} AND ${ofReachedDock(dock)}`;
}

function ofOrganisation(schema: string, table: Table, rights: TableRights, tables: SchemaRights['tables']): string {
  const { name, organisationType } = table;
  const { belongsTo, ofNobody } = rights;
  if (organisationType !== null) {
    if (belongsTo !== undefined || ofNobody !== undefined) {
      throw new Error(`${schema}.${name} has an organisation_id, and its rights say otherwise`);
    }
    return `organisation_id = ${ORGANISATION}${organisationType === 'uuid' ? '' : `::${organisationType}`}`;
  }
  if (ofNobody !== undefined) return 'true';
  if (belongsTo === undefined) throw new Error(`nobody says whose the rows of ${schema}.${name} are`);
  const { table: parent, by, key = 'id' } = belongsTo;
  if (!(parent in tables)) throw new Error(`${schema}.${name} belongs to ${parent}, which ${schema} has not`);
  return `(SELECT p.organisation_id FROM "${schema}"."${parent}" p WHERE p."${key}" = "${name}"."${by}") = ${ORGANISATION}`;
}

async function wall(runner: QueryRunner, schema: string, table: Table, policies: Policies): Promise<void> {
  const name = `"${schema}"."${table.name}"`;
  const statements = [
    ...Object.keys(table.policies).map((policy) => `DROP POLICY "${policy}" ON ${name}`),
    ...Object.entries(policies).flatMap(([policy, text]) => [
      `CREATE POLICY "${policy}" ON ${name} ${text}`,
      // PostgreSQL keeps the meaning and not the words, and a later release has to see whether they have changed.
      `COMMENT ON POLICY "${policy}" ON ${name} IS '${text.replaceAll("'", "''")}'`,
    ]),
    `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
  ];
  await runTogether(runner, statements);
}
