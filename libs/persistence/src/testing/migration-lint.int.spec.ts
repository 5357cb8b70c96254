import { createLogger } from '@aerie/observability';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from '../data-source.js';
import { makeIndex, replaceIndex, validateConstraint } from '../unhurried.js';
import { type KnownBreach, type Rule, lintMigrations } from './migration-lint.js';

const SCHEMA = 'things';

class Create1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE things.thing (id integer PRIMARY KEY, size integer, name text NOT NULL DEFAULT 'é; -- ''', at timestamptz);
      CREATE INDEX thing_size ON things.thing (size);
      ALTER TABLE things.thing ADD CONSTRAINT thing_size_check CHECK (size > 0), ALTER COLUMN size SET NOT NULL;
      UPDATE things.thing SET size = 1;
      CREATE TABLE things.owner (id integer PRIMARY KEY)`);
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE things.owner, things.thing');
  }
}

type Step = string | readonly string[] | ((runner: QueryRunner) => Promise<unknown>);

const run = async (runner: QueryRunner, step: Step): Promise<void> => {
  if (typeof step === 'function') await step(runner);
  else for (const sql of [step].flat()) await runner.query(sql);
};

/** A migration that is judged, after one that made the tables. */
function changing(
  up: Step,
  down: Step = 'SELECT 1; CREATE TABLE things.gone (); DROP TABLE things.gone',
  transaction?: false,
) {
  return class Change1700000000001 implements MigrationInterface {
    readonly transaction = transaction ?? true;
    up(runner: QueryRunner): Promise<void> {
      return run(runner, up);
    }
    down(runner: QueryRunner): Promise<void> {
      return run(runner, down);
    }
  };
}

const lint = (Change: new () => MigrationInterface, known: readonly KnownBreach[] = []): Promise<string[]> =>
  lintMigrations({
    schema: SCHEMA,
    migrations: [Create1700000000000, Change],
    open: (url) =>
      createDataSource({
        ...{ url, applicationName: 'lint-spec', schema: SCHEMA, migrations: [], poolSize: 2 },
        ...{ statementTimeoutMs: 5_000, logger: createLogger('lint-spec', 'silent') },
      }),
    known,
    release: '0.3.0',
  });

const rulesOf = (complaints: readonly string[]): string[] =>
  complaints.map((complaint) => /\[(\w+)\]/.exec(complaint)?.[1] ?? complaint);

describe('a migration is refused that', () => {
  it.each<[string, Rule, Step]>([
    ['makes an index while writers wait', 'index', 'CREATE INDEX thing_at ON things.thing (at)'],
    ['adds a key, which is an index', 'index', 'ALTER TABLE things.thing ADD UNIQUE (name)'],
    ['adds a column that is unique', 'index', 'ALTER TABLE things.thing ADD COLUMN code text UNIQUE'],
    ['adds a CHECK and looks at all rows', 'constraint', 'ALTER TABLE things.thing ADD CHECK (size < 9)'],
    ['adds a column with a CHECK', 'constraint', 'ALTER TABLE things.thing ADD COLUMN code int CHECK (code > 0)'],
    [
      'adds a reference and looks at all rows',
      'constraint',
      'ALTER TABLE things.thing ADD FOREIGN KEY (size) REFERENCES things.owner',
    ],
    [
      'validates a CHECK in the transaction that has added it',
      'constraint',
      [
        'ALTER TABLE things.thing ADD CONSTRAINT small CHECK (size < 9) NOT VALID',
        'ALTER TABLE things.thing VALIDATE CONSTRAINT small',
      ],
    ],
    [
      'adds a column whose default differs from row to row',
      'rewrite',
      'ALTER TABLE things.thing ADD COLUMN code uuid DEFAULT gen_random_uuid()',
    ],
    [
      'adds a column that is computed',
      'rewrite',
      'ALTER TABLE things.thing ADD COLUMN twice integer GENERATED ALWAYS AS (size * 2) STORED',
    ],
    ['makes the type of a column wider', 'type', 'ALTER TABLE things.thing ALTER COLUMN name TYPE varchar'],
    ['wants a column that nobody writes', 'required', 'ALTER TABLE things.thing ADD COLUMN code int NOT NULL'],
    ['takes the default of a column', 'required', 'ALTER TABLE things.thing ALTER COLUMN name DROP DEFAULT'],
    ['forbids null, which no CHECK has proven', 'notNull', 'ALTER TABLE things.thing ALTER COLUMN at SET NOT NULL'],
    [
      'forbids null, which a CHECK has not proven yet',
      'notNull',
      [
        'ALTER TABLE things.thing ADD CONSTRAINT has_at CHECK (at IS NOT NULL) NOT VALID',
        'ALTER TABLE things.thing ALTER COLUMN at SET NOT NULL',
      ],
    ],
    ['drops a column', 'removed', 'ALTER TABLE things.thing DROP COLUMN size'],
    ['drops a table', 'removed', 'DROP TABLE things.owner; CREATE TABLE things.owner (id int)'],
    ['renames a column', 'removed', 'ALTER TABLE things.thing RENAME COLUMN size TO bulk'],
    ['renames a table', 'removed', 'ALTER TABLE things.owner RENAME TO holder; CREATE TABLE things.owner (id int)'],
    ['changes a whole table', 'wholeTable', 'UPDATE things.thing SET size = 2 WHERE size = 1'],
    ['deletes within WITH', 'wholeTable', 'WITH d AS (DELETE FROM things.thing RETURNING 1) SELECT count(*) FROM d'],
    ['empties a table', 'wholeTable', 'TRUNCATE things.thing'],
    ['locks a table', 'lock', 'LOCK TABLE things.thing'],
    ['hides what it does', 'unseen', 'DO $$ BEGIN UPDATE things.thing SET size = 2; END $$'],
    ['uses a method of the runner', 'removed', (runner) => runner.dropColumn('things.thing', 'size')],
  ])('%s', async (_what, rule, up) => {
    const found = rulesOf(await lint(changing(up)));
    // Renaming and dropping go on to break the way back of the tables; here the first breach counts.
    expect(found[0]).toBe(rule);
    expect(new Set(found.filter((each) => each !== 'noWayBack'))).toEqual(new Set([rule]));
  });

  it.each<[string, Step]>([
    ['has no way back', []],
    ['has a way back that fails', 'DROP TABLE things.nothing'],
  ])('%s', async (_what, down) => {
    expect(rulesOf(await lint(changing('CREATE TABLE things.more ()', down)))).toEqual(['noWayBack']);
  });

  it('makes an index in its own words outside a transaction, too', async () => {
    const Change = changing('CREATE INDEX thing_at ON things.thing (at)', 'DROP INDEX things.thing_at', false);
    expect(rulesOf(await lint(Change))).toEqual(['index']);
  });
});

describe('a migration is let through that', () => {
  const schema = SCHEMA;
  it.each<[string, Step, Step, false | undefined]>([
    [
      'does to a table of its own what it wants',
      `CREATE TABLE things.more (id integer); CREATE INDEX ON things.more (id); ALTER TABLE things.more ADD CHECK (id > 0);
       UPDATE things.more SET id = 1; ALTER TABLE things.more DROP COLUMN id`,
      'DROP TABLE things.more',
      undefined,
    ],
    [
      'adds columns, references and constraints that look at no row',
      `ALTER TABLE things.thing ADD COLUMN code integer NOT NULL DEFAULT 3, ADD COLUMN owner integer REFERENCES things.owner,
         ADD COLUMN seen timestamptz DEFAULT now(), ADD CONSTRAINT small CHECK (size < 9) NOT VALID`,
      'ALTER TABLE things.thing DROP COLUMN code, DROP COLUMN owner, DROP COLUMN seen, DROP CONSTRAINT small',
      undefined,
    ],
    [
      'changes rows page by page',
      `UPDATE things.thing SET size = 2 WHERE id IN (SELECT id FROM things.thing WHERE size = 1 LIMIT 100)`,
      'DELETE FROM things.thing WHERE id IN (SELECT id FROM things.thing LIMIT 1)',
      undefined,
    ],
    [
      'makes, replaces and validates without haste',
      async (runner) => {
        await makeIndex(runner, { schema, name: 'thing_at', on: 'thing (at)' });
        await replaceIndex(runner, { schema, name: 'thing_size', on: 'thing (size) WHERE size > 1' });
        await runner.query('ALTER TABLE things.thing ADD CONSTRAINT has_at CHECK (at IS NOT NULL) NOT VALID');
        await runner.startTransaction();
        await runner.commitTransaction();
        await validateConstraint(runner, 'things.thing', 'has_at');
        await runner.query('ALTER TABLE things.thing ALTER COLUMN at SET NOT NULL');
      },
      'ALTER TABLE things.thing ALTER COLUMN at DROP NOT NULL, DROP CONSTRAINT has_at; DROP INDEX things.thing_at',
      false,
    ],
  ])('%s', async (_what, up, down, transaction) => {
    expect(await lint(changing(up, down, transaction))).toEqual([]);
  });
});

describe('the list of known breaches', () => {
  const drop = changing(
    'ALTER TABLE things.thing DROP COLUMN size',
    'ALTER TABLE things.thing ADD COLUMN size integer',
  );
  const known = { migration: 'Change1700000000001', rule: 'removed', reason: 'nobody reads it' } as const;

  it('lets a removal through that names an earlier release', async () => {
    expect(await lint(drop, [{ ...known, unusedSince: '0.2.0' }])).toEqual([]);
  });

  it.each([
    ['no release', known, 'without the release that uses it no more'],
    ['the very release that removes', { ...known, unusedSince: '0.3.0' }, '0.3.0 is no release before 0.3.0'],
    ['no reason', { ...known, reason: ' ' }, 'without a reason'],
  ])('refuses one with %s', async (_what, one, words) => {
    expect(await lint(drop, [one])).toEqual([expect.stringContaining(words)]);
  });

  it('refuses one that is none any more', async () => {
    const stale = { migration: 'Create1700000000000', rule: 'index', reason: 'small' } as const;
    expect(await lint(changing('CREATE TABLE things.more ()', 'DROP TABLE things.more'), [stale])).toEqual([
      'Create1700000000000 [index] is listed, but it keeps that rule: take it from the list',
    ]);
  });
});
