import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, testEnvironment } from '@aerie/testing';
import { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { Timeline, type TimelineEntry, beginningOf } from './timeline.js';
import { inTransaction } from './transaction.js';

const SCHEMA = 'told';
const TIMELINE = new Timeline(SCHEMA, 'thing_id');

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_told', async (url) => {
    const admin = await new DataSource({ type: 'postgres', url }).initialize();
    await admin.query(`
      CREATE SCHEMA ${SCHEMA};
      CREATE TABLE ${SCHEMA}.timeline (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, thing_id uuid NOT NULL, kind text NOT NULL, what text NOT NULL,
        from_state text, to_state text, revision integer, detail jsonb NOT NULL)`);
    await admin.destroy();
  });
  dataSource = await createDataSource({
    ...{ url: database.url, applicationName: 'timeline-spec', schema: SCHEMA, migrations: [] },
    ...{ poolSize: 2, statementTimeoutMs: 5_000, logger: createLogger('test', 'silent') },
  }).initialize();
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

/** Writes entries of one thing, and returns what is in the table, oldest first. */
async function written(entries: readonly TimelineEntry[]) {
  const id = randomUUID();
  await inTransaction(dataSource, (tx) =>
    TIMELINE.write(
      tx,
      entries.map((entry) => TIMELINE.row(id, entry)),
    ),
  );
  return dataSource.query<Record<string, unknown>[]>(
    `SELECT kind, what, from_state, to_state, revision, detail FROM ${SCHEMA}.timeline WHERE thing_id = $1 ORDER BY id`,
    [id],
  );
}
const note = (detail: Readonly<Record<string, unknown>>): TimelineEntry => ({ kind: 'note', what: 'said', detail });
const detailOf = async (detail: Readonly<Record<string, unknown>>): Promise<unknown> =>
  (await written([note(detail)]))[0]?.['detail'];

it('has what is written together in its order', async () => {
  const entries = Array.from({ length: 200 }, (_, number) => note({ number }));
  expect((await written(entries)).map(({ detail }) => detail)).toEqual(entries.map(({ detail }) => detail));
});

it('keeps all of an entry, and leaves open what it does not say', async () => {
  const decision = { kind: 'decision', what: 'begin', fromState: 'a', toState: 'b', revision: 2 } as const;
  expect(await written([decision, { kind: 'note', what: 'said' }])).toEqual([
    { kind: 'decision', what: 'begin', from_state: 'a', to_state: 'b', revision: 2, detail: {} },
    { kind: 'note', what: 'said', from_state: null, to_state: null, revision: null, detail: {} },
  ]);
});

it('keeps a detail up to 16,384 characters whole, and of a longer one its beginning and how long it was', async () => {
  // The text of `{"a":""}` has eight.
  const longest = { a: 'x'.repeat(16_384 - 8) };
  expect(await detailOf(longest)).toEqual(longest);
  expect(await detailOf({ a: 'x'.repeat(16_384 - 7) })).toMatchObject({ cut: true, characters: 16_385 });
  expect(await detailOf({ a: 'x'.repeat(30_000 - 8) })).toEqual({
    ...{ cut: true, characters: 30_000, beginning: `{"a":"${'x'.repeat(16_384 - 6)}` },
  });
});

it('can be written wherever the cut falls, also in the middle of a character', async () => {
  for (const before of ['', 'x']) {
    const { beginning } = (await detailOf({ a: `${before}${'😀'.repeat(10_000)}` })) as { beginning: string };
    expect(beginning).toMatch(/^\{"a":"x?😀+$/u);
    expect(beginning.length).toBeGreaterThan(16_380);
  }
});

it('takes no half of a character into the beginning of a text', () => {
  expect([beginningOf('ab', 2), beginningOf('abc', 2), beginningOf('a😀', 2), beginningOf('a😀b', 3)]).toEqual([
    'ab',
    'ab',
    'a',
    'a😀',
  ]);
});
