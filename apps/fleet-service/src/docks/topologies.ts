import { LRUCache } from 'lru-cache';
import { DockStore } from './dock.store.js';

/** Telemetry of every dock comes every second or two; what changes a binding is judged by the database itself. */
const CACHE_MS = 5_000;

/** Which dock speaks under a serial number, remembered for a few seconds. */
export class Topologies {
  private readonly cache = new LRUCache<string, { dockSn: string | null }>({ max: 50_000, ttl: CACHE_MS });

  constructor(private readonly docks: DockStore) {}

  /** Null: no dock of ours. Rejects when that cannot be said now. */
  async dockFor(sn: string): Promise<string | null> {
    const known = this.cache.get(sn);
    if (known !== undefined) return known.dockSn;
    const dockSn = (await this.docks.speakerFor(sn))?.sn ?? null;
    this.cache.set(sn, { dockSn });
    return dockSn;
  }

  forget(sn: string): void {
    this.cache.delete(sn);
  }
}
