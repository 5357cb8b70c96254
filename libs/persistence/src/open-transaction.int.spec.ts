import { jest } from '@jest/globals';
import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, eventually, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { CommitUnknownError, sqlState } from './database-errors.js';
import { type PostgresProxy, startPostgresProxy } from './postgres-proxy.fixture.js';
import { ApiDatabase } from './organisations.js';
import { type Tx, inTransaction } from './transaction.js';

const logger = createLogger('test', 'silent');

describe('a transaction', () => {
  let database: TestDatabase;
  let proxy: PostgresProxy;
  /** One connection, through the proxy. */
  let dataSource: DataSource;
  let observer: DataSource;

  const open = (url: string, applicationName: string): Promise<DataSource> =>
    createDataSource({
      url,
      applicationName,
      schema: 'public',
      migrations: [],
      poolSize: 1,
      statementTimeoutMs: 2_000,
      logger,
    }).initialize();
  const amounts = async (): Promise<number[]> => {
    const rows = await observer.query<{ amount: number }[]>('SELECT amount FROM account ORDER BY id');
    return rows.map(({ amount }) => amount);
  };
  const add = (tx: Tx, id: number): Promise<number> =>
    tx.run('UPDATE account SET amount = amount + 1 WHERE id = $1', [id]);
  const divide = (tx: Tx): Promise<number> => tx.run('UPDATE account SET amount = 1 / (amount - amount) WHERE id = 1');
  const backendOf = async (tx: Tx): Promise<number> =>
    (await tx.one<{ pid: number }>('SELECT pg_backend_pid() AS pid'))?.pid ?? 0;
  const failureOf = (unit: Promise<unknown>): Promise<unknown> =>
    unit.then(
      () => 'none',
      (error: unknown) => error,
    );

  beforeAll(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_empty', () => Promise.resolve());
    observer = await open(database.url, 'observer');
  });

  beforeEach(async () => {
    await observer.query('DROP TABLE IF EXISTS account');
    await observer.query('CREATE TABLE account (id integer PRIMARY KEY, amount integer NOT NULL CHECK (amount < 100))');
    await observer.query('INSERT INTO account VALUES (1, 0), (2, 0)');
    proxy = await startPostgresProxy(database.url);
    dataSource = await open(proxy.url, 'open-transaction-spec');
  });

  afterEach(async () => {
    await dataSource?.destroy();
    await proxy?.close();
  });

  afterAll(async () => {
    await observer?.destroy();
    await database?.drop();
  });

  describe('whose statements are sent together', () => {
    it('sends BEGIN and all of them without waiting for an answer', async () => {
      await inTransaction(dataSource, (tx) => Promise.all([add(tx, 1), tx.query('SELECT 1 AS one'), add(tx, 2)]));
      const [first] = proxy.chunks.filter((chunk) => chunk.includes('BEGIN'));
      expect(first?.match(/BEGIN|UPDATE account|SELECT 1|COMMIT/g)).toEqual([
        'BEGIN',
        'UPDATE account',
        'SELECT 1',
        // The second update has the text of the first, which was sent before.
      ]);
      expect(await amounts()).toEqual([1, 1]);
    });

    it('runs the same statement several times', async () => {
      await inTransaction(dataSource, (tx) => Promise.all([add(tx, 1), add(tx, 1), add(tx, 1)]));
      await inTransaction(dataSource, (tx) => Promise.all([add(tx, 1), add(tx, 1)]));
      expect(await amounts()).toEqual([5, 0]);
    });

    it('fails with the first failure, not with those that followed from it', async () => {
      const failing = inTransaction(dataSource, async (tx) => {
        // The second is the first to be noticed.
        const [first, second] = [divide(tx).finally(() => undefined), add(tx, 2)];
        await Promise.all([second, first]);
      });
      expect(sqlState(await failureOf(failing))).toBe('22012');
    });

    it('is rolled back, and fails, when one of them failed and the work went on all the same', async () => {
      const failing = inTransaction(dataSource, (tx) => Promise.allSettled([add(tx, 1), divide(tx), add(tx, 2)]));
      expect(sqlState(await failureOf(failing))).toBe('22012');
      expect(await amounts()).toEqual([0, 0]);
    });

    it('is rolled back, and fails, when the work did not wait for the one that failed', async () => {
      const unhandled = jest.fn();
      process.on('unhandledRejection', unhandled);
      const failing = inTransaction(dataSource, (tx) => {
        void add(tx, 1);
        void divide(tx);
        return Promise.resolve();
      });
      expect(sqlState(await failureOf(failing))).toBe('22012');
      expect(await amounts()).toEqual([0, 0]);
      process.off('unhandledRejection', unhandled);
      expect(unhandled).not.toHaveBeenCalled();
    });

    it('writes those that the work did not wait for', async () => {
      await inTransaction(dataSource, (tx) => {
        void add(tx, 1);
        return Promise.resolve();
      });
      expect(await amounts()).toEqual([1, 0]);
    });

    it('fails with the error that the work made of a failure', async () => {
      const failing = inTransaction(dataSource, (tx) =>
        divide(tx).catch(() => {
          throw new Error('no such account');
        }),
      );
      await expect(failing).rejects.toThrow('no such account');
    });

    it('is known to be written in part when BEGIN failed and the statements behind it ran without it', async () => {
      proxy.replaceOnce('BEGIN', 'BEGUN');
      expect(await failureOf(inTransaction(dataSource, (tx) => add(tx, 1)))).toBeInstanceOf(CommitUnknownError);
    });
  });

  describe('at its end', () => {
    it('is not committed where the server answered COMMIT with ROLLBACK', async () => {
      proxy.replaceOnce('COMMIT', 'ABORT ');
      await expect(inTransaction(dataSource, (tx) => add(tx, 1))).rejects.toThrow('was rolled back');
    });

    it('refuses a late statement, which would run in the next transaction of its connection', async () => {
      let late: Tx | undefined;
      await inTransaction(dataSource, async (tx) => {
        late = tx;
        await add(tx, 1);
      });
      await inTransaction(dataSource, async (tx) => {
        await add(tx, 1);
        await expect(late && add(late, 2)).rejects.toThrow('its transaction is over');
      });
      expect(await amounts()).toEqual([2, 0]);
    });

    it('refuses to commit what a statement of its own has ended', async () => {
      const failing = inTransaction(dataSource, async (tx) => {
        await add(tx, 1);
        await tx.run('ROLLBACK');
      });
      await expect(failing).rejects.toThrow('ended the transaction');
    });

    it('closes a connection whose ROLLBACK was not confirmed, and with it the transaction', async () => {
      const pids: number[] = [];
      proxy.replaceOnce('ROLLBACK', 'SELECT 1');
      const failing = inTransaction(dataSource, async (tx) => {
        pids.push(await backendOf(tx));
        await add(tx, 1);
        throw new Error('changed its mind');
      });
      await expect(failing).rejects.toThrow('changed its mind');
      await inTransaction(dataSource, async (tx) => {
        pids.push(await backendOf(tx));
        await add(tx, 2);
      });
      expect(await amounts()).toEqual([0, 1]);
      expect(pids[0]).not.toBe(pids[1]);
    });
  });

  describe('whose connection ends', () => {
    it('is repeated when that was known before its COMMIT was sent', async () => {
      let attempts = 0;
      await inTransaction(dataSource, async (tx) => {
        await add(tx, 1);
        if (++attempts > 1) return;
        await observer.query('SELECT pg_terminate_backend($1)', [await backendOf(tx)]);
        await eventually('the client has noticed', () => Promise.resolve(proxy.openConnections() === 0));
      });
      expect([await amounts(), attempts]).toEqual([[1, 0], 2]);
    });

    it('is repeated when it ended in the middle of a statement', async () => {
      let attempts = 0;
      await inTransaction(dataSource, async (tx) => {
        await add(tx, 1);
        if (++attempts > 1) return;
        const slow = tx.run('SELECT pg_sleep(1)');
        proxy.cut();
        await slow;
      });
      expect([await amounts(), attempts]).toEqual([[1, 0], 2]);
    });

    it('is unknown, and not repeated, when its COMMIT was sent and the answer got lost', async () => {
      let attempts = 0;
      proxy.swallowAnswerTo('COMMIT');
      const failing = inTransaction(dataSource, async (tx) => {
        attempts++;
        await add(tx, 1);
      });
      expect(await failureOf(failing)).toBeInstanceOf(CommitUnknownError);
      expect([await amounts(), attempts]).toEqual([[1, 0], 1]);
    });
  });

  describe('of a single statement', () => {
    const sent = (statement: string): number =>
      proxy.chunks.filter((chunk) => chunk.includes(statement) && chunk.includes('set_config')).length;
    const own = () => new ApiDatabase(dataSource).of('a');
    const READ = 'SELECT amount FROM account WHERE id = $1';

    it('is one packet with its setting, and one answer', async () => {
      await own().run('UPDATE account SET amount = 7 WHERE id = 1');
      expect(sent('UPDATE account')).toBe(1);
      expect(proxy.chunks.filter((chunk) => /BEGIN|COMMIT/.test(chunk))).toEqual([]);
      expect(await own().queryByKeys(READ, [1])).toEqual([{ amount: 7 }]);
    });

    it.each(['all', 'end'] as const)(
      'is unknown, and not repeated, when the connection ends before %s of the answer to a write',
      async (what) => {
        proxy.swallowAnswerTo('UPDATE account', what);
        const writing = own().query('UPDATE account SET amount = amount + 1 WHERE id = 1 RETURNING amount');
        expect(await failureOf(writing)).toBeInstanceOf(CommitUnknownError);
        expect(sent('UPDATE account')).toBe(1);
        await eventually('it is committed', async () => (await amounts())[0] === 1);
      },
    );

    it.each(['all', 'end'] as const)(
      'is repeated when the connection ends before %s of the answer to a read',
      async (what) => {
        proxy.swallowAnswerTo('SELECT amount', what);
        expect(await own().query(READ, [1])).toEqual([{ amount: 0 }]);
        expect(sent('SELECT amount')).toBe(2);
      },
    );

    it('is planned once for whatever keys where it asks by keys, and parsed once', async () => {
      for (const id of [1, 2, 1]) expect(await own().queryByKeys(READ, [id])).toEqual([{ amount: 0 }]);
      expect(sent('SELECT amount')).toBe(1);
    });

    it('is repeated after a migration changed the type of a column that it asks for by keys', async () => {
      await own().queryByKeys(READ, [1]);
      await observer.query('ALTER TABLE account ALTER COLUMN amount TYPE numeric');
      expect(await own().queryByKeys(READ, [1])).toEqual([{ amount: '0' }]);
    });

    it('leaves its connection as it was when it fails, and no other one when its values cannot be sent', async () => {
      expect(sqlState(await failureOf(own().queryByKeys('SELECT 1 / $1::integer AS one', [0])))).toBe('22012');
      expect(sqlState(await failureOf(own().run('UPDATE account SET amount = 100')))).toBe('23514');
      expect(await own().queryByKeys('SELECT 1 / $1::integer AS one', [1])).toEqual([{ one: 1 }]);
      expect(proxy.openConnections()).toBe(1);
      const endless: Record<string, unknown> = {};
      endless.self = endless;
      expect(await failureOf(own().query('SELECT $1::jsonb AS one', [endless]))).toBeInstanceOf(TypeError);
      expect(await own().queryByKeys('SELECT 1 / $1::integer AS one', [1])).toEqual([{ one: 1 }]);
      await eventually('the connection in doubt is closed', () => Promise.resolve(proxy.openConnections() === 1));
      expect(await amounts()).toEqual([0, 0]);
    });

    it('refuses to write where the statement begins with SELECT: it might be repeated', async () => {
      const locking = own().query('SELECT amount FROM account FOR UPDATE');
      expect(sqlState(await failureOf(locking))).toBe('25006');
    });
  });

  describe('whose prepared statements do not fit any more', () => {
    it('is repeated after a migration changed the type of a column', async () => {
      const read = () => inTransaction(dataSource, (tx) => tx.one('SELECT amount FROM account WHERE id = 1'));
      await read();
      await observer.query('ALTER TABLE account ALTER COLUMN amount TYPE numeric');
      expect(await read()).toEqual({ amount: '0' });
    });

    it('is repeated when the server has forgotten them', async () => {
      const pids: number[] = [];
      await inTransaction(dataSource, async (tx) => {
        if (pids.push(await backendOf(tx)) === 1) await tx.run('DEALLOCATE ALL');
        await backendOf(tx);
        await add(tx, 1);
      });
      expect(await amounts()).toEqual([1, 0]);
      expect(new Set(pids).size).toBe(2);
    });
  });
});

describe('migrations under load', () => {
  const CHANGES = 12;
  const LANES = 6;
  let database: TestDatabase;
  let dataSource: DataSource;
  let migrator: DataSource;

  const open = (poolSize: number): Promise<DataSource> =>
    createDataSource({
      url: database.url,
      applicationName: 'migrations-under-load',
      schema: 'public',
      migrations: [],
      poolSize,
      statementTimeoutMs: 5_000,
      logger,
    }).initialize();

  beforeAll(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_empty', () => Promise.resolve());
    dataSource = await open(LANES);
    migrator = await open(1);
    await migrator.query('CREATE TABLE counter (id integer PRIMARY KEY, total integer NOT NULL, label text)');
    await migrator.query('INSERT INTO counter SELECT lane, 0 FROM generate_series(1, $1) AS lane', [LANES]);
  });

  afterAll(async () => {
    await dataSource?.destroy();
    await migrator?.destroy();
    await database?.drop();
  });

  it.each([
    ['adding columns', (change: number) => `ALTER TABLE counter ADD COLUMN c${change} integer NOT NULL DEFAULT 7`],
    [
      'changing the type of a column that they return',
      (change: number) => `ALTER TABLE counter ALTER COLUMN label TYPE ${change % 2 === 0 ? 'varchar' : 'text'}`,
    ],
  ])('let no unit fail and write each once, when they are %s', async (_name, sqlOf) => {
    await migrator.query('UPDATE counter SET total = 0');
    let isOver = false;
    const unit = (lane: number) =>
      inTransaction(dataSource, async (tx) => {
        await tx.one('SELECT id, label, total FROM counter WHERE id = $1 FOR UPDATE', [lane]);
        await tx.one('UPDATE counter SET total = total + 1 WHERE id = $1 RETURNING total, label', [lane]);
      });
    const lanes = Array.from({ length: LANES }, async (_, index) => {
      let done = 0;
      for (; !isOver; done++) await unit(index + 1);
      return done;
    });
    const failed = Promise.race(lanes).then(() => undefined);
    for (let change = 0; change < CHANGES; change++) {
      await migrator.query(sqlOf(change));
      const before = await totals();
      // The next change comes when all lanes have met this one.
      await Promise.race([failed, eventually('all lanes go on', async () => allMoved(before, await totals()))]);
    }
    isOver = true;
    const written = await Promise.all(lanes);
    expect(await totals()).toEqual(written);
  });

  it('are met by a unit once, although each connection of the pool has prepared what does not fit any more', async () => {
    let arrived = 0;
    let open = (): void => undefined;
    const allHere = new Promise<void>((resolve) => (open = resolve));
    const read = async (tx: Tx): Promise<void> => {
      await tx.one('SELECT note FROM counter WHERE id = 1');
      if (++arrived === LANES) open();
      await allHere;
    };
    await migrator.query(`ALTER TABLE counter ADD COLUMN note integer`);
    await Promise.all(Array.from({ length: LANES }, () => inTransaction(dataSource, read)));
    await migrator.query(`ALTER TABLE counter ALTER COLUMN note TYPE bigint`);
    let attempts = 0;
    await inTransaction(dataSource, (tx) => {
      attempts++;
      return read(tx);
    });
    expect(attempts).toBe(2);
  });

  const totals = async (): Promise<number[]> => {
    const rows = await migrator.query<{ total: number }[]>('SELECT total FROM counter ORDER BY id');
    return rows.map(({ total }) => total);
  };
  const allMoved = (before: readonly number[], after: readonly number[]): boolean =>
    after.every((total, lane) => total > (before[lane] ?? 0) + 1);
});
