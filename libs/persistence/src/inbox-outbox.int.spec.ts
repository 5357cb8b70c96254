import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, eventually, testEnvironment } from '@aerie/testing';
import { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { enterInbox, inboxAndOutboxPrunes, inboxOutboxTables, writeOutbox } from './inbox-outbox.js';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';
import { inTransaction } from './transaction.js';

const logger = createLogger('test', 'silent');
const SCHEMA = 'post';

let database: TestDatabase;
let dataSource: DataSource;

const open = (): Promise<DataSource> =>
  createDataSource({
    url: database.url,
    applicationName: 'inbox-outbox-spec',
    schema: SCHEMA,
    migrations: [],
    poolSize: 5,
    statementTimeoutMs: 2_000,
    logger,
  }).initialize();

beforeAll(async () => {
  database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_post', async (url) => {
    const admin = await new DataSource({ type: 'postgres', url }).initialize();
    await admin.query(`CREATE SCHEMA ${SCHEMA}; ${inboxOutboxTables(SCHEMA)}`);
    await admin.destroy();
  });
  dataSource = await open();
});

beforeEach(() => dataSource.query(`TRUNCATE ${SCHEMA}.inbox, ${SCHEMA}.outbox`));

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

async function prune(): Promise<void> {
  for (const { batch } of inboxAndOutboxPrunes(SCHEMA, { inboxDays: 8, outboxDays: 7 }))
    await inTransaction(dataSource, batch);
}

describe('the inbox', () => {
  const key = { sn: 'DOCK-1', method: 'flighttask_progress', messageId: 'tid-1' };
  const enter = () => inTransaction(dataSource, (tx) => enterInbox(tx, SCHEMA, key));

  it('lets a message in once', async () => {
    expect([await enter(), await enter(), await enter()]).toEqual([true, false, false]);
  });

  it('lets one in of many that come at once', async () => {
    const entered = await Promise.all([enter(), enter(), enter(), enter()]);
    expect(entered.filter(Boolean)).toHaveLength(1);
  });

  it('lets a message in again whose first effect was rolled back', async () => {
    const failing = inTransaction(dataSource, async (tx) => {
      await enterInbox(tx, SCHEMA, key);
      throw new Error('the effect failed');
    });
    await expect(failing).rejects.toThrow('the effect failed');
    expect(await enter()).toBe(true);
  });

  it('makes a repeat wait for the first, and lets it in when the first is rolled back', async () => {
    let failFirst = (): void => undefined;
    let entered = (): void => undefined;
    const firstEntered = new Promise<void>((resolve) => (entered = resolve));
    const first = inTransaction(dataSource, async (tx) => {
      await enterInbox(tx, SCHEMA, key);
      entered();
      await new Promise<void>((_resolve, reject) => (failFirst = () => reject(new Error('the effect failed'))));
    });
    await firstEntered;
    const second = enter();
    await eventually('the second waits', async () => {
      const rows = await dataSource.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rows.length > 0;
    });
    failFirst();
    await expect(first).rejects.toThrow('the effect failed');
    expect(await second).toBe(true);
  });

  it.each([
    ['another dock', { ...key, sn: 'DOCK-2' }],
    ['another method', { ...key, method: 'flighttask_ready' }],
    ['another tid', { ...key, messageId: 'tid-2' }],
  ])('does not take a message of %s for a repeat', async (_what, other) => {
    await enter();
    expect(await inTransaction(dataSource, (tx) => enterInbox(tx, SCHEMA, other))).toBe(true);
  });

  it('forgets a message after eight days, and no sooner', async () => {
    await dataSource.query(
      `INSERT INTO ${SCHEMA}.inbox VALUES ('a', 'm', 'old', now() - interval '8 days 1 hour'), ('a', 'm', 'young', now() - interval '7 days')`,
    );
    await prune();
    expect(await dataSource.query(`SELECT message_id FROM ${SCHEMA}.inbox`)).toEqual([{ message_id: 'young' }]);
  });

  it('cannot be told to forget sooner', () => {
    expect(() => inboxAndOutboxPrunes(SCHEMA, { inboxDays: 7, outboxDays: 7 })).toThrow('8 days at least, not for 7');
  });

  it('knows a repeat that comes one second after midnight', async () => {
    await dataSource.query(
      `INSERT INTO ${SCHEMA}.inbox VALUES ($1, $2, $3, date_trunc('day', now()) - interval '500 milliseconds')`,
      [key.sn, key.method, key.messageId],
    );
    await prune();
    expect(await enter()).toBe(false);
    expect(await dataSource.query(`SELECT count(*)::int AS rows FROM ${SCHEMA}.inbox`)).toEqual([{ rows: 1 }]);
  });
});

describe('the outbox relay', () => {
  interface Published {
    readonly subject: string;
    readonly payload: string;
    readonly messageId: string;
  }
  let published: Published[];
  const relays: OutboxRelay[] = [];

  const publish: OutboxRelayOptions['publish'] = async (subject, payload, messageId) => {
    published.push({ subject, payload, messageId });
  };
  const aRelay = (options: Partial<OutboxRelayOptions> = {}): OutboxRelay =>
    new OutboxRelay({ dataSource, schema: SCHEMA, publish, logger, ...options });
  const start = (options: Partial<OutboxRelayOptions> = {}): OutboxRelay => {
    const relay = aRelay(options);
    relays.push(relay);
    relay.start();
    return relay;
  };
  const write = (...subjects: string[]) =>
    inTransaction(dataSource, (tx) =>
      writeOutbox(
        tx,
        SCHEMA,
        subjects.map((subject) => ({ subject, payload: { subject } })),
      ),
    );
  const undone = async (): Promise<number> => {
    const [row] = await dataSource.query<[{ count: number }]>(
      `SELECT count(*)::int AS count FROM ${SCHEMA}.outbox WHERE done_at IS NULL`,
    );
    return row.count;
  };
  const attempts = async (): Promise<number[]> => {
    const rows = await dataSource.query<{ attempts: number }[]>(`SELECT attempts FROM ${SCHEMA}.outbox ORDER BY id`);
    return rows.map((row) => row.attempts);
  };
  const allDone = () => eventually('every row is done', async () => (await undone()) === 0);

  beforeEach(() => {
    published = [];
  });
  afterEach(() => Promise.all(relays.splice(0).map((relay) => relay.stop())));

  it('publishes what was committed', async () => {
    start();
    await write('mission.v1.org.started');
    await allDone();
    expect(published).toMatchObject([
      { subject: 'mission.v1.org.started', payload: '{"subject":"mission.v1.org.started"}' },
    ]);
  });

  it('publishes nothing of what was rolled back', async () => {
    start();
    const failing = inTransaction(dataSource, async (tx) => {
      await writeOutbox(tx, SCHEMA, [{ subject: 'never', payload: {} }]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await write('after');
    await allDone();
    expect(published.map(({ subject }) => subject)).toEqual(['after']);
  });

  it('publishes when it is kicked, and waits for no poll', async () => {
    // It was not started: there are no polls.
    const relay = aRelay();
    await write('kicked');
    relay.kick();
    await allDone();
    expect(published).toHaveLength(1);
  });

  it('publishes what its own process commits, also by another pool, without a statement that claims it', async () => {
    const other = await open();
    start({ writers: [other] });
    await allDone();
    // Claimed already, so no poll can have found them.
    const claims: unknown[] = [];
    for (const writer of [dataSource, other]) {
      await inTransaction(writer, async (tx) => {
        await writeOutbox(tx, SCHEMA, [{ subject: 'fact', payload: { n: claims.length } }]);
        claims.push(
          await tx.one(
            `SELECT attempts, not_before > clock_timestamp() + interval '9 seconds' AS leased FROM ${SCHEMA}.outbox
              ORDER BY id DESC LIMIT 1`,
          ),
        );
      });
    }
    await allDone();
    await other.destroy();
    expect(claims).toEqual([
      { attempts: 1, leased: true },
      { attempts: 1, leased: true },
    ]);
    expect(await attempts()).toEqual([1, 1]);
    expect(published.map(({ payload }) => payload)).toEqual(['{"n":0}', '{"n":1}']);
  });

  it('publishes facts of one process in the order in which they were written', async () => {
    start();
    const subjects = Array.from({ length: 300 }, (_, index) => `fact-${index}`);
    await write(...subjects.slice(0, 150));
    await write(...subjects.slice(150));
    await allDone();
    expect(published.map(({ subject }) => subject)).toEqual(subjects);
  });

  it('publishes what a repeat of a transaction wrote, and nothing of the attempt before it', async () => {
    start();
    let attempt = 0;
    await inTransaction(dataSource, async (tx) => {
      attempt++;
      await writeOutbox(tx, SCHEMA, [{ subject: `attempt-${attempt}`, payload: {} }]);
      if (attempt === 1) await tx.run(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
    });
    await allDone();
    expect(published.map(({ subject }) => subject)).toEqual(['attempt-2']);
  });

  it('publishes what a process left behind that died between its commit and the bus', async () => {
    // It stops before the commit, as a dead process would: it has the lease, and nobody hands the row over.
    const dying = start();
    await inTransaction(dataSource, async (tx) => {
      await writeOutbox(tx, SCHEMA, [{ subject: 'left behind', payload: {} }]);
      await dying.stop();
    });
    expect(published).toEqual([]);
    start();
    await write('another');
    await eventually('only the row that was left behind is not done', async () => (await undone()) === 1);
    await dataSource.query(`UPDATE ${SCHEMA}.outbox SET not_before = clock_timestamp() WHERE done_at IS NULL`);
    await allDone();
    expect(published.map(({ subject }) => subject)).toEqual(['another', 'left behind']);
  });

  it('takes no more into memory than it can hold, and publishes the rest from the table', async () => {
    let release = (): void => undefined;
    const away = new Promise<void>((resolve) => (release = resolve));
    start({
      publish: async (...fact) => {
        await away;
        await publish(...fact);
      },
    });
    await write(...Array.from({ length: 1_100 }, (_, index) => `held-${index}`));
    const born = await inTransaction(dataSource, async (tx) => {
      await writeOutbox(tx, SCHEMA, [{ subject: 'free', payload: {} }]);
      return tx.one(`SELECT attempts FROM ${SCHEMA}.outbox WHERE subject = 'free'`);
    });
    expect(born).toEqual({ attempts: 0 });
    release();
    await allDone();
    expect([published.length, new Set(published.map(({ messageId }) => messageId)).size]).toEqual([1_101, 1_101]);
  });

  it('finishes rows that were published at nearly the same time in one statement', async () => {
    start();
    await allDone();
    for (let n = 0; n < 5; n++) await write(`fact-${n}`);
    await allDone();
    const rows = await dataSource.query<unknown[]>(`SELECT DISTINCT xmin::text FROM ${SCHEMA}.outbox`);
    expect(rows.length).toBeLessThan(5);
  });

  it('finds by itself what a process without a relay wrote', async () => {
    start();
    await allDone();
    const other = await open();
    await inTransaction(other, (tx) => writeOutbox(tx, SCHEMA, [{ subject: 'unannounced', payload: {} }]));
    await other.destroy();
    await eventually('the poll finds it', async () => (await undone()) === 0);
    expect(published).toHaveLength(1);
  });

  it('publishes a row again, under the same id, after the publisher failed', async () => {
    const ids: string[] = [];
    const relay = start({
      publish: async (_subject, _payload, messageId) => {
        ids.push(messageId);
        if (ids.length === 1) throw new Error('NATS is away');
      },
    });
    await write('fact');
    relay.kick();
    await eventually('it was tried', () => ids.length === 1);
    // Lets the lease run out.
    await eventually('it is done', async () => {
      await dataSource.query(`UPDATE ${SCHEMA}.outbox SET not_before = clock_timestamp() WHERE done_at IS NULL`);
      return (await undone()) === 0;
    });
    expect(ids).toEqual([ids[0], ids[0]]);
  });

  it('is not held up by one row that fails', async () => {
    const relay = start({
      publish: async (subject, payload, messageId) => {
        if (subject === 'bad') throw new Error('refused');
        await publish(subject, payload, messageId);
      },
    });
    await write('one', 'bad', 'two');
    relay.kick();
    await eventually('the others are done', async () => (await undone()) === 1);
    expect(published.map(({ subject }) => subject).sort()).toEqual(['one', 'two']);
  });

  it('publishes each row once when two share the work', async () => {
    await write(...Array.from({ length: 500 }, (_, index) => `fact-${index}`));
    start();
    const other = await open();
    const second = start({ dataSource: other });
    await allDone();
    await second.stop();
    await other.destroy();
    const ids = published.map(({ messageId }) => messageId);
    expect([ids.length, new Set(ids).size]).toEqual([500, 500]);
  });

  it('goes on after the database was away', async () => {
    const relay = start();
    await allDone();
    await dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await write('after');
    relay.kick();
    await allDone();
    expect(published).toHaveLength(1);
  });

  it('stops only when the row in hand is settled', async () => {
    let release = (): void => undefined;
    const relay = start({
      publish: () => new Promise<void>((resolve) => (release = resolve)),
    });
    await write('slow');
    relay.kick();
    await eventually('it is being published', async () => {
      const rows = await dataSource.query<unknown[]>(`SELECT 1 FROM ${SCHEMA}.outbox WHERE attempts = 1`);
      return rows.length === 1;
    });
    const stopped = relay.stop();
    release();
    await stopped;
    expect(await undone()).toBe(0);
  });

  it('keeps what it published for seven days', async () => {
    await dataSource.query(
      `INSERT INTO ${SCHEMA}.outbox (subject, payload, done_at) VALUES
         ('old', '{}', now() - interval '7 days 1 hour'), ('young', '{}', now() - interval '6 days'), ('undone', '{}', NULL)`,
    );
    await prune();
    const rows = await dataSource.query<{ subject: string }[]>(`SELECT subject FROM ${SCHEMA}.outbox ORDER BY id`);
    expect(rows.map(({ subject }) => subject)).toEqual(['young', 'undone']);
  });
});
