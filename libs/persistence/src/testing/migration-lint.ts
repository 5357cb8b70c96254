// What a migration really sends is recorded on a PostgreSQL of its own, parsed by the parser of PostgreSQL itself, and
// judged: whether it keeps others waiting at a large table, and whether a replica of the release before, which runs
// beside it, still finds what it needs.
import { readFileSync } from 'node:fs';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import type { AlterTableCmd, Constraint, Node } from '@pgsql/types';
import { parse } from 'libpg-query';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { opened } from './opened.js';

/** Each with what to do instead. */
export const RULES = {
  index: 'makes an index while writers wait: makeIndex() makes it beside them',
  constraint:
    'looks at every row while it locks all others out: add it NOT VALID, and validateConstraint() in a later one',
  rewrite: 'writes the whole table anew while it locks all others out: add a column, and fill it in small batches',
  type: 'changes the type of a column, which an older replica still reads: add another column',
  required: 'leaves out a value that an older replica does not write either: give the column a default',
  notNull:
    'looks at every row while it locks all others out: add CHECK (… IS NOT NULL) NOT VALID, validate it, then this',
  removed: 'takes away what an older replica still reads: do it once the release before does not use it',
  wholeTable: 'changes rows of a whole table in one statement: page by page, by LIMIT or a list of keys',
  lock: 'locks a table itself',
  unseen: 'runs a block of code whose statements nobody sees: send them one by one',
  noWayBack: 'has no way back: down() must undo what up() did',
} as const;
export type Rule = keyof typeof RULES;

export interface KnownBreach {
  /** Name of the class. */
  readonly migration: string;
  readonly rule: Rule;
  /** Why it may: a table that is small or new, a site that waits for it all the same. */
  readonly reason: string;
  /** Of what is removed: the release that uses it no more. It must be an earlier one than that which removes it. */
  readonly unusedSince?: string;
}

export interface LintOptions {
  readonly schema: string;
  readonly migrations: readonly (new () => MigrationInterface)[];
  readonly open: (url: string) => DataSource;
  readonly known: readonly KnownBreach[];
  /** The version that these migrations are released with; default: ours. */
  readonly release?: string;
}

interface Breach {
  readonly migration: string;
  readonly rule: Rule;
  readonly what: string;
}

/** A sentence for each breach that is not known, and for each known one that is none (any more). */
export async function lintMigrations(options: LintOptions): Promise<string[]> {
  const { schema, migrations, open, known, release = ourVersion() } = options;
  const database = await createTestDatabase(testEnvironment().databaseUrl, 'template_empty', () => Promise.resolve());
  const source = open(database.url);
  try {
    await opened(source);
    await source.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
    const breaches = await breachesOf(source, schema, migrations);
    return [...unknownOf(breaches, known), ...known.flatMap((one) => faultOf(one, breaches, release))];
  } finally {
    await source.destroy();
    await database.drop();
  }
}

const ourVersion = (): string => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
};

const unknownOf = (breaches: readonly Breach[], known: readonly KnownBreach[]): string[] =>
  breaches
    .filter(({ migration, rule }) => !known.some((one) => one.migration === migration && one.rule === rule))
    .map(({ migration, rule, what }) => `${migration} ${RULES[rule]} [${rule}]: ${what}`);

function faultOf(known: KnownBreach, breaches: readonly Breach[], release: string): string[] {
  const { migration, rule, reason, unusedSince } = known;
  const title = `${migration} [${rule}]`;
  if (!breaches.some((one) => one.migration === migration && one.rule === rule)) {
    return [`${title} is listed, but it keeps that rule: take it from the list`];
  }
  if (reason.trim() === '') return [`${title} is listed without a reason`];
  if (rule !== 'removed') return [];
  if (unusedSince === undefined) return [`${title} is listed without the release that uses it no more`];
  return isEarlier(unusedSince, release)
    ? []
    : [`${title}: ${unusedSince} is no release before ${release}; replicas of the one before still read it`];
}

function isEarlier(one: string, other: string): boolean {
  const [a, b] = [one, other].map((version) => /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number));
  if (a === undefined || b === undefined) return false;
  const at = a.findIndex((part, index) => part !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

async function breachesOf(
  source: DataSource,
  schema: string,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<Breach[]> {
  const breaches: Breach[] = [];
  const runner = source.createQueryRunner();
  const silent = new Set<string>();
  const run = async (Migration: new () => MigrationInterface, way: 'up' | 'down'): Promise<number> => {
    const note = (rule: Rule, what: string): void => {
      if (way === 'up') breaches.push({ migration: Migration.name, rule, what: excerptOf(what) });
    };
    const recorder = new Recorder(runner, schema, note);
    const migration = new Migration();
    const isWhole = migration.transaction !== false;
    if (isWhole) await runner.startTransaction();
    try {
      await migration[way](recorder.runner);
      if (isWhole) await runner.commitTransaction();
    } catch (error) {
      if (isWhole) await runner.rollbackTransaction();
      throw error;
    }
    return recorder.sent;
  };
  try {
    for (const Migration of migrations) if ((await run(Migration, 'up')) === 0) silent.add(Migration.name);
    for (const Migration of [...migrations].reverse()) {
      const noWayBack = (what: string) => breaches.push({ migration: Migration.name, rule: 'noWayBack', what });
      try {
        if ((await run(Migration, 'down')) === 0 && !silent.has(Migration.name)) noWayBack('down() sends nothing');
      } catch (error) {
        noWayBack((error as Error).message);
        // What lies below rests on what it did not undo.
        break;
      }
    }
    return breaches;
  } finally {
    await runner.release();
  }
}

const excerptOf = (sql: string): string => {
  const line = sql.replace(/--.*$/gm, ' ').replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
};

type Note = (rule: Rule, what: string) => void;

/** Sends what a migration sends, statement by statement, and judges each before and after. */
class Recorder {
  sent = 0;
  readonly runner: QueryRunner;
  /** Tables of this migration: nobody else has them yet. */
  private readonly created = new Set<string>();
  /** Tables that this transaction has locked all others out of. */
  private readonly locked = new Set<string>();

  constructor(
    private readonly inner: QueryRunner,
    private readonly schema: string,
    private readonly note: Note,
  ) {
    // Whatever a method of the runner sends is sent by its `query`, so it is seen as well.
    this.runner = new Proxy(inner, {
      get: (target, name) => {
        if (name === 'query') return (sql: string, values?: unknown[]) => this.query(sql, values);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(this.runner) as unknown) : value;
      },
    });
  }

  private async query(sql: string, values?: unknown[]): Promise<unknown> {
    const bytes = Buffer.from(sql);
    const { stmts = [] } = await parse(sql);
    let result: unknown;
    for (const { stmt, stmt_location: from = 0, stmt_len: length } of stmts) {
      const text = bytes.subarray(from, length === undefined ? undefined : from + length).toString();
      if (stmt === undefined) continue;
      await this.judge(stmt, text);
      const before = await this.files();
      result = await this.inner.query(text, values);
      const after = await this.files();
      const rewritten = [...before].filter(([table, file]) => after.has(table) && after.get(table) !== file);
      if (!('TruncateStmt' in stmt) && rewritten.some(([table]) => !this.created.has(table)))
        this.note('rewrite', text);
      if (!('SelectStmt' in stmt) && !('VariableSetStmt' in stmt)) this.sent++;
    }
    return result;
  }

  /** The file of each table: another one after a statement that wrote all rows anew. */
  private async files(): Promise<Map<string, string>> {
    const rows = (await this.inner.query(
      `SELECT n.nspname || '.' || c.relname AS name, c.relfilenode::text AS file
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname = $1`,
      [this.schema],
    )) as { name: string; file: string }[];
    return new Map(rows.map(({ name, file }) => [name, file]));
  }

  private nameOf(relation: { schemaname?: string; relname?: string } | undefined): string {
    return `${relation?.schemaname ?? this.schema}.${relation?.relname ?? '?'}`;
  }

  private isOld(relation: { schemaname?: string; relname?: string } | undefined): boolean {
    return !this.created.has(this.nameOf(relation));
  }

  private async judge(node: Node, text: string): Promise<void> {
    if ('TransactionStmt' in node) this.locked.clear();
    else if ('CreateStmt' in node) this.created.add(this.nameOf(node.CreateStmt.relation));
    else if ('CreateTableAsStmt' in node) this.created.add(this.nameOf(node.CreateTableAsStmt.into?.rel));
    else if ('IndexStmt' in node) {
      const { concurrent, relation } = node.IndexStmt;
      if (concurrent !== true && this.isOld(relation)) this.note('index', text);
    } else if ('AlterTableStmt' in node) await this.judgeAlterTable(node.AlterTableStmt, text);
    else this.judgeOther(node, text);
    if (changesUnboundedly(node, (relation) => this.isOld(relation))) this.note('wholeTable', text);
  }

  private async judgeAlterTable(
    { relation, cmds = [], objtype }: NonNullable<Extract<Node, { AlterTableStmt: unknown }>['AlterTableStmt']>,
    text: string,
  ): Promise<void> {
    if (objtype !== 'OBJECT_TABLE' || !this.isOld(relation)) return;
    const table = this.nameOf(relation);
    for (const command of cmds) {
      const each = (command as { AlterTableCmd: AlterTableCmd }).AlterTableCmd;
      const rule = breachOfCommand(each, this.locked.has(table));
      if (rule !== undefined) this.note(rule, text);
      if (each.subtype === 'AT_SetNotNull' && !(await this.isProvenNotNull(table, each.name ?? ''))) {
        this.note('notNull', text);
      }
      if (each.subtype === 'AT_ColumnDefault' && each.def === undefined) {
        if (await this.isNotNull(table, each.name ?? '')) this.note('required', text);
      }
      if (each.subtype !== 'AT_ValidateConstraint') this.locked.add(table);
    }
  }

  private judgeOther(node: Node, text: string): void {
    if ('RenameStmt' in node) {
      const { renameType, relation } = node.RenameStmt;
      const isHarmless = renameType === 'OBJECT_INDEX' || renameType === 'OBJECT_TABCONSTRAINT';
      if (!isHarmless && this.isOld(relation)) this.note('removed', text);
    } else if ('AlterObjectSchemaStmt' in node) this.note('removed', text);
    else if ('DropStmt' in node) {
      const { removeType = 'OBJECT_TABLE', objects = [] } = node.DropStmt;
      if (!REMOVABLE.has(removeType) && objects.some((name) => !this.created.has(namesOf(name)))) {
        this.note('removed', text);
      }
    } else if ('DoStmt' in node) this.note('unseen', text);
    else if ('TruncateStmt' in node) this.note('wholeTable', text);
    else if ('LockStmt' in node || 'ClusterStmt' in node || 'VacuumStmt' in node || 'ReindexStmt' in node) {
      this.note('lock', text);
    }
  }

  /** A validated CHECK says so already, and PostgreSQL looks at no row. */
  private async isProvenNotNull(table: string, column: string): Promise<boolean> {
    const [row] = (await this.inner.query(
      `SELECT EXISTS (SELECT 1 FROM pg_constraint
                       WHERE conrelid = $1::regclass AND contype = 'c' AND convalidated
                         AND pg_get_constraintdef(oid) = format('CHECK ((%I IS NOT NULL))', $2::text)) AS proven`,
      [table, column],
    )) as { proven: boolean }[];
    return row?.proven === true;
  }

  private async isNotNull(table: string, column: string): Promise<boolean> {
    const [row] = (await this.inner.query(
      'SELECT attnotnull AS needed FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2',
      [table, column],
    )) as { needed: boolean }[];
    return row?.needed === true;
  }
}

/** What no statement of a replica names. */
const REMOVABLE = new Set(['OBJECT_INDEX', 'OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY', 'OBJECT_STATISTIC_EXT']);

function breachOfCommand({ subtype, def }: AlterTableCmd, isLocked: boolean): Rule | undefined {
  if (subtype === 'AT_DropColumn') return 'removed';
  if (subtype === 'AT_AlterColumnType') return 'type';
  // The lock that an earlier statement took stays until the commit.
  if (subtype === 'AT_ValidateConstraint') return isLocked ? 'constraint' : undefined;
  if (def === undefined) return undefined;
  if (subtype === 'AT_AddConstraint' && 'Constraint' in def) return breachOfConstraint(def.Constraint);
  if (subtype !== 'AT_AddColumn' || !('ColumnDef' in def)) return undefined;
  const constraints = (def.ColumnDef.constraints ?? []).map((one) => (one as { Constraint: Constraint }).Constraint);
  const has = (...types: string[]): boolean => constraints.some(({ contype = '' }) => types.includes(contype));
  const isFilled = has('CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED');
  if (has('CONSTR_NOTNULL') && !isFilled) return 'required';
  // Where each row that is there has null in a new column, PostgreSQL does not look the references up.
  const looked = constraints
    .filter(({ contype }) => contype !== 'CONSTR_NOTNULL')
    .filter(({ contype }) => contype !== 'CONSTR_FOREIGN' || isFilled);
  return looked.map(breachOfConstraint).find((rule) => rule !== undefined);
}

function breachOfConstraint({ contype, skip_validation: isNotValid, indexname }: Constraint): Rule | undefined {
  switch (contype) {
    case 'CONSTR_CHECK':
    case 'CONSTR_FOREIGN':
    case 'CONSTR_NOTNULL':
      return isNotValid === true ? undefined : 'constraint';
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
    case 'CONSTR_EXCLUSION':
      return indexname === undefined ? 'index' : undefined;
    default:
      return undefined;
  }
}

const namesOf = (node: Node): string => {
  const list = 'List' in node ? node.List.items : undefined;
  return (list ?? []).map((part) => ('String' in part ? part.String.sval : '')).join('.');
};

interface Relation {
  readonly schemaname?: string;
  readonly relname?: string;
}

/** An UPDATE or DELETE, also within WITH, of a table that was there, with nothing that bounds the number of its rows. */
function changesUnboundedly(statement: Node, isOld: (relation: Relation) => boolean): boolean {
  const changed: Relation[] = [];
  let isBounded = false;
  walk(statement, (name, value) => {
    const { relation } = value as { relation?: Relation };
    if ((name === 'UpdateStmt' || name === 'DeleteStmt') && relation !== undefined) changed.push(relation);
    if ('limitCount' in value) isBounded = true;
    // A list of keys that the migration hands over.
    if (name === 'RangeFunction') walk(value, (inner) => (isBounded ||= inner === 'ParamRef'));
    // A function that is made does not run.
    return name !== 'CreateFunctionStmt';
  });
  return !isBounded && changed.some(isOld);
}

function walk(value: unknown, visit: (name: string, value: object) => unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    if (typeof inner !== 'object' || inner === null) continue;
    if (!Array.isArray(inner) && visit(name, inner) === false) continue;
    walk(inner, visit);
  }
}
