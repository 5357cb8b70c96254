import { LRUCache } from 'lru-cache';

/** With the delays between tries this is about twenty seconds. */
const SET_ASIDE_AFTER = 8;
/** As many as may be in work over all replicas. */
const REMEMBERED = 5_000;

interface Failing {
  failures: number;
  /** How many messages had succeeded when this one failed last. */
  successes: number;
}

/**
 * Tells a message that is at fault from an outage: it fails again and again while others succeed. As long as nothing
 * succeeds no failure counts, however long that takes.
 */
export class Refusals {
  private readonly failing = new LRUCache<number, Failing>({ max: REMEMBERED });
  private successes = 0;

  /** `sequence`: the message's number in its stream. */
  succeeded(sequence: number): void {
    this.successes++;
    this.failing.delete(sequence);
  }

  forget(sequence: number): void {
    this.failing.delete(sequence);
  }

  /** True when the message is to be set aside. */
  failed(sequence: number): boolean {
    const before = this.failing.get(sequence);
    const counts = before === undefined || before.successes < this.successes;
    const failures = (before?.failures ?? 0) + (counts ? 1 : 0);
    this.failing.set(sequence, { failures, successes: this.successes });
    return failures >= SET_ASIDE_AFTER;
  }
}
