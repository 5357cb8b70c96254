import { WorkShares } from '@aerie/kernel';
import type { Metrics } from '@aerie/observability';

/**
 * What shares the database and this process while a herd starts or lands. What a person asks for is in none of them, and
 * never waits: it has a pool of its own.
 */
export type TransactionKind = 'replies' | 'claims' | 'events';

/**
 * Replies first: a prepare without its answer is sent again. Then claims, which have an instant. Events are last, most of
 * them are progress; they keep a quarter of all places, since the ends of flights are among them.
 */
const ORDER: readonly TransactionKind[] = ['replies', 'claims', 'events'];
/** Four places in all: with more transactions at once two cores finish none of them sooner. */
const SPARE = 1;

/** Transactions of docks and of time, each in its turn. */
export class TransactionShares {
  private readonly shares = new WorkShares<TransactionKind>({ order: ORDER, spare: SPARE });
  private readonly waited;

  constructor(metrics: Metrics) {
    this.waited = metrics.histogram(
      'mission_share_wait_seconds',
      'How long a transaction waited for its place: replies go before claims, claims before events.',
      ['kind'],
    );
  }

  run<Result>(kind: TransactionKind, transaction: () => Promise<Result>): Promise<Result> {
    const stop = this.waited.startTimer({ kind });
    return this.shares.run(kind, () => {
      stop();
      return transaction();
    });
  }

  /** How many of a kind wait. */
  waitingOf(kind: TransactionKind): number {
    return this.shares.waitingOf(kind);
  }
}
