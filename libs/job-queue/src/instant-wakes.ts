import { LRUCache } from 'lru-cache';
import type { WakeQueue } from './wake-queue.js';

/** Instants this close together are one wake: 500 things of one second cost a handful of jobs, and a look finds all. */
const GRAIN_MS = 25;
/** Instants that this process has set a wake for. Only to save a round trip: what is set twice is one job in Redis. */
const REMEMBERED = 10_000;

/**
 * Sets wakes for instants at which something becomes due. A wake names nothing: whoever wakes asks the database what is
 * due, and gets everything that is.
 */
export class InstantWakes {
  private readonly known = new LRUCache<number, true>({ max: REMEMBERED });

  constructor(private readonly queue: Pick<WakeQueue, 'set'>) {}

  /** Wakes somebody soon after that, and not before. Never waits, never fails. */
  after(delayMs: number): void {
    const nowMs = Date.now();
    const instantMs = instantAfter(nowMs, delayMs);
    if (!this.known.has(instantMs)) this.set(instantMs, nowMs);
  }

  /** The same, also where this process has set it before: the queue may have lost it, or not kept it for so long. */
  again(delayMs: number): void {
    const nowMs = Date.now();
    this.set(instantAfter(nowMs, delayMs), nowMs);
  }

  private set(instantMs: number, nowMs: number): void {
    this.known.set(instantMs, true);
    this.queue.set([{ id: `due-${instantMs}`, revision: 0, delayMs: instantMs - nowMs }]);
  }
}

const instantAfter = (nowMs: number, delayMs: number): number =>
  Math.ceil((nowMs + Math.max(0, delayMs)) / GRAIN_MS) * GRAIN_MS;
