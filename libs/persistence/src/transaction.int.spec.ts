import { createLogger } from '@aerie/observability';
import { type TestDatabase, createTestDatabase, eventually, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { CommitUnknownError, sqlState } from './database-errors.js';
import { type Tx, inTransaction } from './transaction.js';

const logger = createLogger('test', 'silent');
const APPLICATION = 'transaction-spec';

describe('inTransaction', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  /** Another connection, which sees what is committed. */
  let observer: DataSource;

  const open = (
    options: { poolSize?: number; applicationName?: string; statementTimeoutMs?: number } = {},
  ): Promise<DataSource> =>
    createDataSource({
      url: database.url,
      applicationName: APPLICATION,
      schema: 'public',
      migrations: [],
      poolSize: 4,
      statementTimeoutMs: 2_000,
      logger,
      ...options,
    }).initialize();
  const amount = async (id: number): Promise<number> => {
    const [row] = await observer.query<[{ amount: number }]>('SELECT amount FROM account WHERE id = $1', [id]);
    return row.amount;
  };
  const add = (tx: Tx, id: number): Promise<number> =>
    tx.run('UPDATE account SET amount = amount + 1 WHERE id = $1', [id]);
  const backendOf = async (tx: Tx): Promise<number> =>
    (await tx.one<{ pid: number }>('SELECT pg_backend_pid() AS pid'))?.pid ?? 0;

  beforeAll(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'persistence_empty', () => Promise.resolve());
    dataSource = await open();
    observer = await open({ applicationName: 'observer' });
  });

  beforeEach(async () => {
    await observer.query('DROP TABLE IF EXISTS account');
    await observer.query('CREATE TABLE account (id integer PRIMARY KEY, amount integer NOT NULL)');
    await observer.query('INSERT INTO account VALUES (1, 0), (2, 0)');
  });

  afterAll(async () => {
    await dataSource?.destroy();
    await observer?.destroy();
    await database?.drop();
  });

  it('gives what the work returns, once its writes are committed', async () => {
    const result = await inTransaction(dataSource, async (tx) => {
      await add(tx, 1);
      return 'done';
    });
    expect([result, await amount(1)]).toEqual(['done', 1]);
  });

  it('writes nothing when the work throws', async () => {
    const failing = inTransaction(dataSource, async (tx) => {
      await add(tx, 1);
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect(await amount(1)).toBe(0);
  });

  it('does not repeat work that failed for a reason of its own', async () => {
    let attempts = 0;
    const failing = inTransaction(dataSource, async () => {
      attempts++;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(attempts).toBe(1);
  });

  it('repeats the whole unit of the one that a deadlock ended, so that both are written', async () => {
    let attempts = 0;
    const bothHoldOne = barrier(2);
    const transfer = (first: number, second: number) =>
      inTransaction(dataSource, async (tx) => {
        attempts++;
        await add(tx, first);
        await bothHoldOne();
        await add(tx, second);
      });
    await Promise.all([transfer(1, 2), transfer(2, 1)]);
    expect([await amount(1), await amount(2)]).toEqual([2, 2]);
    expect(attempts).toBeGreaterThanOrEqual(3);
  });

  it('repeats the whole unit after a serialization failure', async () => {
    let attempts = 0;
    const bothHaveRead = barrier(2);
    const addWhatIsThere = () =>
      inTransaction(dataSource, async (tx) => {
        attempts++;
        await tx.run('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
        const row = await tx.one<{ amount: number }>('SELECT amount FROM account WHERE id = 1');
        await bothHaveRead();
        await tx.run('UPDATE account SET amount = $1 WHERE id = 1', [(row?.amount ?? 0) + 1]);
      });
    await Promise.all([addWhatIsThere(), addWhatIsThere()]);
    expect([await amount(1), attempts]).toEqual([2, 3]);
  });

  it('gives up after four attempts, with the error of the last', async () => {
    let attempts = 0;
    const failing = inTransaction(dataSource, async (tx) => {
      attempts++;
      await tx.run(`DO $$ BEGIN RAISE EXCEPTION 'always' USING ERRCODE = '40001'; END $$`);
    });
    expect(sqlState(await failing.catch((error: unknown) => error))).toBe('40001');
    expect(attempts).toBe(4);
  });

  it('E1: repeats a unit whose connection was ended in the middle', async () => {
    let attempts = 0;
    await inTransaction(dataSource, async (tx) => {
      await add(tx, 1);
      if (++attempts === 1) await observer.query('SELECT pg_terminate_backend($1)', [await backendOf(tx)]);
      await add(tx, 2);
    });
    expect([await amount(1), await amount(2), attempts]).toEqual([1, 1, 2]);
  });

  it('E6: leaves nothing of a unit whose query took too long to the next user of its connection', async () => {
    const single = await open({ poolSize: 1, statementTimeoutMs: 300 });
    try {
      const tooSlow = inTransaction(single, async (tx) => {
        await add(tx, 1);
        await tx.query('SELECT pg_sleep(3)');
      });
      // The next one waits for the only connection, and commits.
      const next = inTransaction(single, (tx) => add(tx, 2));
      await expect(tooSlow).rejects.toMatchObject({ message: expect.stringContaining('statement timeout') });
      await next;
      expect([await amount(1), await amount(2)]).toEqual([0, 1]);
    } finally {
      await single.destroy();
    }
  });

  it('E2: calls a commit unknown that got no answer, and does not repeat it', async () => {
    await observer.query(`
      CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow_commit AFTER UPDATE ON account DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow()`);
    let attempts = 0;
    let pid = 0;
    const failing = inTransaction(dataSource, async (tx) => {
      attempts++;
      pid = await backendOf(tx);
      await add(tx, 1);
    }).catch((error: unknown) => error);
    await eventually('the commit is under way', async () => {
      const rows = await observer.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND query = 'COMMIT'`,
        [pid],
      );
      return rows.length > 0;
    });
    await observer.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(await failing).toBeInstanceOf(CommitUnknownError);
    expect(attempts).toBe(1);
  });

  it('knows that a constraint which is checked at the commit refused it', async () => {
    await observer.query('DELETE FROM account WHERE id = 2');
    await observer.query('ALTER TABLE account ADD CONSTRAINT single UNIQUE (amount) DEFERRABLE INITIALLY DEFERRED');
    const failing = inTransaction(dataSource, (tx) => tx.run('INSERT INTO account VALUES (3, 0)'));
    expect(sqlState(await failing.catch((error: unknown) => error))).toBe('23505');
  });

  it('waits for a lock for about a second and not longer, also after its repeats', async () => {
    const holder = observer.createQueryRunner();
    await holder.startTransaction();
    await holder.query('SELECT * FROM account WHERE id = 1 FOR UPDATE');
    try {
      const failing = inTransaction(dataSource, (tx) => add(tx, 1));
      expect(sqlState(await failing.catch((error: unknown) => error))).toBe('55P03');
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
  });

  describe('a statement that takes too long', () => {
    let small: DataSource;
    beforeAll(async () => {
      small = await createDataSource({
        url: database.url,
        applicationName: 'statement-timeout-spec',
        schema: 'public',
        migrations: [],
        poolSize: 1,
        statementTimeoutMs: 200,
        logger,
      }).initialize();
    });
    afterAll(() => small?.destroy());

    const takeTooLong = () =>
      inTransaction(small, async (tx) => {
        await add(tx, 1);
        await tx.query('SELECT pg_sleep(60)');
      }).catch((error: unknown) => error);

    it('is ended by the server', async () => {
      expect(sqlState(await takeTooLong())).toBe('57014');
    });

    it('does not go on in the server', async () => {
      await takeTooLong();
      const running = await observer.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'statement-timeout-spec' AND state <> 'idle'`,
      );
      expect(running).toEqual([]);
    });

    it('leaves no open transaction to the next user of the connection', async () => {
      await takeTooLong();
      // Outside a transaction the time of the transaction is the time of its only statement.
      const [row] = await small.query<[{ alone: boolean }]>(
        'SELECT now() = statement_timestamp() AND pg_current_xact_id_if_assigned() IS NULL AS alone',
      );
      expect(row.alone).toBe(true);
    });

    it('has none of its writes committed by the next user', async () => {
      await takeTooLong();
      await inTransaction(small, (tx) => add(tx, 2));
      expect([await amount(1), await amount(2)]).toEqual([0, 1]);
    });
  });
});

/** Lets the first `count` callers go on once they are all there; later ones pass at once. */
function barrier(count: number): () => Promise<void> {
  let arrived = 0;
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return () => {
    if (++arrived >= count) open();
    return opened;
  };
}
