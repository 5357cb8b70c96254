import { Metrics, createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, explained, testEnvironment } from '@aerie/testing';
import { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { inboxAndOutboxPrunes, inboxOutboxTables } from './inbox-outbox.js';
import { type Prune, Retention, pruneOldRows } from './retention.js';
import { fill } from './testing/fill.js';
import { inTransaction } from './transaction.js';

const logger = createLogger('retention-spec', 'silent');
const TABLE = 'kept.thing';

let database: TestDatabase;
let dataSource: DataSource;
let metrics: Metrics;

beforeAll(async () => {
  database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_kept', async (url) => {
    const admin = await new DataSource({ type: 'postgres', url }).initialize();
    await admin.query(
      `CREATE SCHEMA kept; CREATE TABLE ${TABLE} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);
       CREATE INDEX ON ${TABLE} (at); ${inboxOutboxTables('kept')}`,
    );
    await admin.destroy();
  });
  dataSource = await createDataSource({
    url: database.url,
    applicationName: 'retention-spec',
    schema: 'kept',
    migrations: [],
    poolSize: 5,
    statementTimeoutMs: 60_000,
    logger,
  }).initialize();
});
beforeEach(async () => {
  await dataSource.query(`TRUNCATE ${TABLE}, kept.inbox, kept.outbox`);
});
afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

const things = (rows = 10): Prune => pruneOldRows({ table: TABLE, at: 'at', days: 30 }, rows);
function retention(prunes: readonly Prune[], longestRunMs = 10_000): Retention {
  metrics = new Metrics('retention-spec');
  return new Retention({ dataSource, prunes, logger, metrics, longestRunMs });
}
const write = (count: number, days: number) =>
  dataSource.query(`INSERT INTO ${TABLE} (at) SELECT now() - $2 * interval '1 day' FROM generate_series(1, $1)`, [
    count,
    days,
  ]);
async function rows(): Promise<number> {
  const [row] = await dataSource.query<[{ rows: number }]>(`SELECT count(*)::int AS rows FROM ${TABLE}`);
  return row.rows;
}
async function counted(): Promise<number | undefined> {
  const counter = await metrics.registry.getSingleMetric('retention_pruned_total')?.get();
  return counter?.values.find(({ labels }) => labels['table'] === 'thing')?.value;
}

describe('a run of retention', () => {
  it('deletes in small batches all that is old, and nothing else, and counts it', async () => {
    await write(35, 31);
    await write(7, 29);
    expect(await retention([things()]).run()).toBe(35);
    expect([await rows(), await counted()]).toEqual([7, 35]);
  });

  it('ends when its time is over, and the next one goes on', async () => {
    await write(35, 31);
    expect(await retention([things()], 0).run()).toBe(0);
    const stopping = new AbortController();
    const stop: Prune = { name: 'stop', batch: async () => (stopping.abort(), { rows: {}, more: false }) };
    expect(await retention([things(), stop]).run(stopping.signal)).toBe(10);
    expect(await rows()).toBe(25);
  });

  it('deletes one batch of each kind in turn, whatever fails', async () => {
    await write(25, 31);
    const order: string[] = [];
    const noted = ({ name, batch }: Prune): Prune => ({ name, batch: (tx) => (order.push(name), batch(tx)) });
    const failing: Prune = {
      name: 'failing',
      batch: (tx) => tx.run('SELECT 1 / 0').then(() => ({ rows: {}, more: true })),
    };
    const other: Prune = { name: 'other', batch: async () => ({ rows: {}, more: order.length < 5 }) };
    await retention([failing, things(), other].map(noted)).run();
    expect(order).toEqual(['failing', 'thing', 'other', 'thing', 'other', 'thing']);
    expect(await rows()).toBe(0);
  });

  it('leaves rows that another replica has locked to it, and waits for none of them', async () => {
    await write(15, 31);
    await inTransaction(dataSource, async (tx) => {
      await tx.query(`SELECT 1 FROM ${TABLE} ORDER BY at LIMIT 10 FOR UPDATE`);
      expect(await retention([things()]).run()).toBe(5);
    });
    expect(await rows()).toBe(10);
  });

  it('is shared by replicas that run at the same time', async () => {
    await write(500, 31);
    const deleted = await Promise.all([retention([things()]).run(), retention([things()]).run()]);
    expect([deleted[0] + deleted[1], await rows()]).toEqual([500, 0]);
  });
});

describe('a batch', () => {
  it.each([
    ['mostly old', 40, 2],
    ['mostly young', 2, 40],
  ])('finds its rows by an index where rows are %s', async (_what, old, young) => {
    for (const [thousands, days] of [
      [old, 40],
      [young, 1],
    ]) {
      await fill(dataSource, async (tx) => {
        await tx.run(
          `INSERT INTO kept.inbox SELECT 'sn', 'm', gen_random_uuid(), now() - $2 * interval '1 day' FROM generate_series(1, $1 * 1000)`,
          [thousands, days],
        );
        await tx.run(
          `INSERT INTO kept.outbox (subject, payload, done_at)
           SELECT 's', '{}', now() - $2 * interval '1 day' FROM generate_series(1, $1 * 1000)`,
          [thousands, days],
        );
      });
    }
    await dataSource.query('ANALYZE kept.inbox, kept.outbox');
    for (const prune of inboxAndOutboxPrunes('kept', { inboxDays: 8, outboxDays: 7 })) {
      const plans: string[] = [];
      await inTransaction(dataSource, (tx) => prune.batch(explained(tx, plans)));
      const plan = plans.join('\n');
      expect(plan).toMatch(/Index Scan using (inbox_received_at|outbox_pkey)/);
      expect(plan).not.toContain('Seq Scan');
      // The age bounds the index: a volatile clock would have it read to its end, row by row, when little is old. Of the
      // outbox only the rows of one batch are read.
      if (prune.name === 'inbox') expect(plan).toMatch(/Index Cond: \(received_at < /);
      else expect(plan).toMatch(/Limit\n\s*->  Index Scan using outbox_pkey/);
    }
  });
});
