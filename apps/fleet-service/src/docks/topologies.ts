import { LRUCache } from 'lru-cache';
import type { Logger } from '@aerie/observability';
import { DockStore } from './dock.store.js';

/** For telemetry only: facts that change a mission or a binding are judged by the database itself. */
const CACHE_MS = 5_000;

/** Which dock speaks under a serial number, remembered for a few seconds. */
export class Topologies {
  private readonly cache = new LRUCache<string, { dockSn: string | null }>({ max: 50_000, ttl: CACHE_MS });

  constructor(
    private readonly docks: DockStore,
    private readonly logger: Logger,
  ) {}

  async dockFor(sn: string): Promise<string | null> {
    const known = this.cache.get(sn);
    if (known !== undefined) return known.dockSn;
    try {
      const dockSn = (await this.docks.speakerFor(sn))?.sn ?? null;
      this.cache.set(sn, { dockSn });
      return dockSn;
    } catch (error) {
      this.logger.warn({ err: error, sn }, 'failed to look up who speaks');
      return null;
    }
  }

  forget(sn: string): void {
    this.cache.delete(sn);
  }
}
