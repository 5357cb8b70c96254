import { LRUCache } from 'lru-cache';
import { DocksOfAll } from './dock.store.js';

/** What changes a binding is judged by the database itself; this only says whose word a message is. */
const CACHE_MS = 5_000;
/** Serial numbers of one look into the database. */
const BATCH = 1_000;

interface Asked {
  readonly answer: Promise<string | null>;
  readonly resolve: (dockSn: string | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Which dock speaks under a serial number, remembered for a few seconds. Those that are asked for while a look is under
 * way share the next one: thousands of docks that speak less often than the memory lasts cost a few looks a second.
 */
export class Topologies {
  private readonly cache = new LRUCache<string, { dockSn: string | null }>({ max: 50_000, ttl: CACHE_MS });
  private readonly asked = new Map<string, Asked>();
  /** Forgotten while a look was under way: what that look has seen is not remembered. */
  private readonly forgotten = new Set<string>();
  private looking = false;

  constructor(private readonly docks: DocksOfAll) {}

  /** Null: no dock of ours. Rejects when that cannot be said now. */
  dockFor(sn: string): Promise<string | null> {
    const known = this.cache.get(sn);
    if (known !== undefined) return Promise.resolve(known.dockSn);
    const asked = this.asked.get(sn) ?? ask();
    this.asked.set(sn, asked);
    if (!this.looking) void this.lookForAll();
    return asked.answer;
  }

  forget(sn: string): void {
    this.cache.delete(sn);
    if (this.looking) this.forgotten.add(sn);
  }

  private async lookForAll(): Promise<void> {
    this.looking = true;
    // Whoever asks in this turn goes along.
    await Promise.resolve();
    while (this.asked.size > 0) {
      const batch = [...this.asked].slice(0, BATCH);
      for (const [sn] of batch) this.asked.delete(sn);
      await this.lookFor(batch);
      this.forgotten.clear();
    }
    this.looking = false;
  }

  private async lookFor(batch: readonly (readonly [string, Asked])[]): Promise<void> {
    try {
      const speakers = await this.docks.speakersFor(batch.map(([sn]) => sn));
      for (const [sn, { resolve }] of batch) {
        const dockSn = speakers.get(sn) ?? null;
        if (!this.forgotten.has(sn)) this.cache.set(sn, { dockSn });
        resolve(dockSn);
      }
    } catch (error) {
      for (const [, { reject }] of batch) reject(error);
    }
  }
}

function ask(): Asked {
  let resolve: Asked['resolve'] = () => undefined;
  let reject: Asked['reject'] = () => undefined;
  const answer = new Promise<string | null>((resolveAnswer, rejectAnswer) => {
    resolve = resolveAnswer;
    reject = rejectAnswer;
  });
  return { answer, resolve, reject };
}
