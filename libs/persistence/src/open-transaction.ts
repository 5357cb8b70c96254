import type { QueryResult } from 'pg';
import { DOCKS_SETTING } from './access/policies.js';
import { CommitUnknownError, ConnectionLostError, isStaleStatement, sqlState } from './database-errors.js';
import type { DatabaseClient } from './pool.js';
import { QueryAlone, type Statement } from './query-alone.js';
import type { StatementNames } from './statement-names.js';

/** What PostgreSQL is told for one transaction, and forgets with it. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** A function of ours that finds the id that is meant by `value`; none: the value itself. */
  readonly finder?: string;
  /** Which docks of an organisation, as `DOCKS_SETTING` has them; none: rows of docks are not asked for, and asking raises. */
  readonly docks?: string;
}

/**
 * One transaction on one connection, from its first statement to COMMIT or ROLLBACK.
 *
 * INVARIANTS: Statements are sent without waiting for each other, and the server works them off in that order. COMMIT is
 * sent only once the result of each of them was read and none has failed. A connection is used again only after the
 * server said that it is in no transaction.
 */
export class OpenTransaction {
  /** Sent so far. */
  statements = 0;
  private readonly unread = new Set<Promise<unknown>>();
  private readonly failures = new Set<unknown>();
  private failure: { readonly error: unknown } | undefined;
  /** A statement succeeded after another had failed. If BEGIN was that other, it was a transaction of its own. */
  private hasEscaped = false;
  private lost: { readonly error: unknown } | undefined;
  private isBegun = false;
  private isOver = false;
  private isCorked = false;
  /** COMMIT was sent together with a statement that may write, so a missing answer does not prove a rollback. */
  private mayBeCommitted = false;

  constructor(
    private readonly client: DatabaseClient,
    /** Undefined: each statement is parsed anew. */
    private readonly names: StatementNames | undefined,
    private readonly setting?: Setting,
  ) {
    client.on('error', this.noteLoss);
  }

  /** After a failure nothing more is sent; the statements that were sent with it fail by themselves. */
  send(sql: string, parameters: readonly unknown[]): Promise<QueryResult> {
    if (this.isOver) return refused(new Error('failed to run a statement: its transaction is over'));
    if (this.failure !== undefined) return refused(this.failure.error);
    const name = this.names?.of(sql);
    this.statements++;
    this.cork();
    this.begin();
    return this.track(
      this.client.query({ ...(name === undefined ? {} : { name }), text: sql, values: [...parameters] }),
    );
  }

  /**
   * One statement as a transaction of its own, with its setting before it in the same packet: it has an effect only if both
   * succeed and are committed.
   *
   * A statement that begins with SELECT may only read, which PostgreSQL enforces: it can be repeated after any loss of the connection.
   *
   * @param isNamed planned once for whatever values; otherwise for its values, as a statement outside a transaction is
   */
  async sendAlone(sql: string, parameters: readonly unknown[], isNamed: boolean): Promise<QueryResult> {
    const isRead = READ.test(sql);
    // Nothing was sent on a connection that was known to be lost before.
    this.mayBeCommitted = !isRead && this.lost === undefined && this.client.connection.stream.writable;
    this.isOver = true;
    this.statements++;
    const statement = { text: sql, values: parameters, name: isNamed ? this.names?.of(sql) : undefined };
    let query: QueryAlone | undefined;
    const answered = new Promise<QueryResult>((resolve, reject) => {
      query = new QueryAlone(this.beforeAlone(isRead), statement, (error, result) =>
        error ? reject(error) : resolve(result),
      );
      this.client.query(query);
    });
    try {
      return await this.track(answered);
    } catch (error) {
      if (isRead || query?.isCarriedOut !== true || provesRollback(error)) throw error;
      throw new CommitUnknownError(error);
    }
  }

  async commit(): Promise<void> {
    await this.readAll();
    if (this.failure !== undefined) throw this.failure.error;
    if (!this.isBegun) return;
    // Before the COMMIT is handed to the socket, a dead connection proves that nothing is written.
    if (this.lost !== undefined) throw new ConnectionLostError(this.lost.error);
    if (!this.client.connection.stream.writable) throw new ConnectionLostError(undefined);
    if (this.client.getTransactionStatus() !== 'T') throw new Error('a statement ended the transaction it was in');
    await confirm(this.client.query('COMMIT'));
  }

  private begin(): void {
    if (this.isBegun) return;
    this.isBegun = true;
    void this.track(this.client.query('BEGIN'));
    if (this.setting === undefined) return;
    const { text, values, name } = this.told(setBy(this.setting), valuesOf(this.setting));
    void this.track(this.client.query({ ...(name === undefined ? {} : { name }), text, values: [...values] }));
  }

  /** What is sent before a statement that is alone; undefined: nothing. */
  private beforeAlone(isRead: boolean): Statement | undefined {
    const { setting } = this;
    const parts = [...(setting === undefined ? [] : [settingBy(setting)]), ...(isRead ? [READ_ONLY] : [])];
    if (parts.length === 0) return undefined;
    return this.told(`SELECT ${parts.join(', ')}`, setting === undefined ? [] : valuesOf(setting));
  }

  private told(text: string, values: readonly unknown[]): Statement {
    return { text, values, name: this.names?.of(text) };
  }

  /** Returns what made the transaction fail. */
  async rollBack(error: unknown): Promise<unknown> {
    await this.readAll();
    const isIdle = this.client.getTransactionStatus() === 'I';
    if (this.failure !== undefined && this.hasEscaped && isIdle) return new CommitUnknownError(this.failure.error);
    if (this.failure !== undefined && this.mayBeCommitted && this.isUnanswered(this.failure.error)) {
      return new CommitUnknownError(this.failure.error);
    }
    if (this.isBegun && this.lost === undefined && !isIdle) await this.client.query('ROLLBACK').catch(() => undefined);
    return this.reasonOf(error);
  }

  /** A connection in doubt is closed: whatever it left open ends with it. */
  release(): void {
    this.client.off('error', this.noteLoss);
    this.client.release(
      this.lost !== undefined ||
        this.client.getTransactionStatus() !== 'I' ||
        [...this.failures].some(isConnectionSpent),
    );
  }

  /** The server did not say what it did. A proxy in front of it may say that in its place, with an error of class 08. */
  private isUnanswered(error: unknown): boolean {
    return sqlState(error)?.startsWith('08') ?? this.lost !== undefined;
  }

  private readonly noteLoss = (error: unknown): void => {
    this.lost ??= { error };
  };

  /** From here on no statement is accepted: a late one would run in the next transaction of this connection. */
  private async readAll(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.unread);
  }

  private track(result: Promise<QueryResult>): Promise<QueryResult> {
    const read = result.then(
      () => {
        this.unread.delete(read);
        this.hasEscaped ||= this.failure !== undefined;
      },
      (error: unknown) => {
        this.unread.delete(read);
        this.failures.add(error);
        this.failure ??= { error };
      },
    );
    this.unread.add(read);
    return result;
  }

  /**
   * The first failure, where `error` is any failure of a statement: the others followed from it. Errors that are not of
   * the database stand for themselves.
   */
  private reasonOf(error: unknown): unknown {
    if (this.failure === undefined || !this.failures.has(error)) return error;
    const first = this.failure.error;
    return this.lost !== undefined && sqlState(first) === undefined ? new ConnectionLostError(this.lost.error) : first;
  }

  /** What is sent until the end of this turn of the event loop leaves in one write. */
  private cork(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    const { stream } = this.client.connection;
    stream.cork();
    process.nextTick(() => {
      this.isCorked = false;
      stream.uncork();
    });
  }
}

async function confirm(committed: Promise<QueryResult>): Promise<void> {
  const { command } = await committed.catch((error: unknown) => {
    throw provesRollback(error) ? error : new CommitUnknownError(error);
  });
  // A transaction that has failed answers ROLLBACK, and that is no error.
  if (command !== 'COMMIT') throw new Error('failed to commit: the transaction had failed and was rolled back');
}

/** Includes a SELECT with a row lock or a function that writes: PostgreSQL refuses those in a transaction that is READ ONLY. */
const READ = /^\s*SELECT\b/i;
const READ_ONLY = `set_config('transaction_read_only', 'on', true)`;

/** Of nobody and nothing. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** For the transaction alone: the next one on its connection is somebody else's. */
const settingBy = ({ finder, docks }: Setting): string =>
  `set_config($1, ${finder === undefined ? '$2' : `coalesce(${finder}($2)::text, '${NIL}')`}, true)` +
  (docks === undefined ? '' : `, set_config('${DOCKS_SETTING}', $3, true)`);
const setBy = (setting: Setting): string => `SELECT ${settingBy(setting)}`;
const valuesOf = ({ name, value, docks }: Setting): readonly string[] =>
  docks === undefined ? [name, value] : [name, value, docks];

/** A constraint that is checked at the commit, a serialization failure, a deadlock. Everything else leaves a doubt. */
const provesRollback = (error: unknown): boolean => /^(23...|40001|40P01)$/.test(sqlState(error) ?? '');

/** The error of a statement that the server did not answer, or one about a prepared statement. */
const isConnectionSpent = (error: unknown): boolean => sqlState(error) === undefined || isStaleStatement(error);

function refused(error: unknown): Promise<never> {
  const refusal = rejected(error);
  refusal.catch(() => undefined);
  return refusal;
}

async function rejected(error: unknown): Promise<never> {
  throw error;
}
