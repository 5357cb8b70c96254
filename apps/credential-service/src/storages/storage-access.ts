import type { Clock } from '@aerie/kernel';
import type { Metrics } from '@aerie/observability';
import { LRUCache } from 'lru-cache';
import { CachedKeys } from '../keys/cached-keys.js';
import { openProvider } from '../providers/open-provider.js';
import type { StorageProvider } from '../providers/storage.provider.js';
import type { Outbound } from '@aerie/outbound';
import type { ChosenStorage } from './storage.js';
import type { StorageStore } from './storage.store.js';

/** Sets of keys that are remembered for one storage: the docks of one deployment, and uploads of their logs. */
const MAX_KEPT_KEYS = 20_000;
/** The same for the storage of one organisation; each takes its room at once. */
const MAX_KEPT_KEYS_OF_ONE = 2_000;
/** Organisations with a storage of their own that are served at about the same time. */
const MAX_STORAGES = 1_000;
/** A storage that is used no more may still be in the middle of a call. */
const LAST_CALL_MS = 30_000;

/** A storage with what talks to it. What one storage does to its keys and its breaker touches no other. */
export interface StorageAccess extends ChosenStorage {
  readonly provider: StorageProvider;
  readonly keys: CachedKeys;
}

export interface StoragesParts {
  readonly store: StorageStore;
  readonly clock: Clock;
  readonly random: () => number;
  /** For storages that organisations chose. */
  readonly outbound: Outbound;
  /** For that of the deployment: its operator knows where it is. */
  readonly trusted: Outbound;
  readonly metrics: Metrics;
}

/** The way to each storage that is in use. */
export class Storages {
  readonly store: StorageStore;
  readonly deployment: StorageAccess;
  private readonly kept: LRUCache<string, StorageAccess>;
  private readonly calls: ReturnType<Metrics['counter']>;

  constructor(private readonly parts: StoragesParts) {
    this.calls = parts.metrics.counter('credential_provider_calls_total', 'Sets of keys asked of a storage.', [
      'outcome',
    ]);
    this.store = parts.store;
    this.deployment = this.open(parts.store.deployment);
    this.kept = new LRUCache({ max: MAX_STORAGES, dispose: retire });
  }

  async of(organisationId: string): Promise<StorageAccess> {
    const chosen = await this.store.of(organisationId);
    if (chosen.chosenBy === 'deployment') {
      this.kept.delete(organisationId);
      return this.deployment;
    }
    const known = this.kept.get(organisationId);
    if (known !== undefined && known.version >= chosen.version) return known;
    const access = this.open(chosen);
    this.kept.set(organisationId, access);
    return access;
  }

  stop(): void {
    this.kept.clear();
    this.deployment.provider.stop();
  }

  private open(chosen: ChosenStorage): StorageAccess {
    const { clock, random, outbound, trusted } = this.parts;
    const agents = (chosen.chosenBy === 'organisation' ? outbound : trusted).agents();
    return {
      ...chosen,
      provider: openProvider(chosen.storage, agents, clock),
      keys: new CachedKeys({
        ...{ clock, random },
        max: chosen.chosenBy === 'organisation' ? MAX_KEPT_KEYS_OF_ONE : MAX_KEPT_KEYS,
        observe: (outcome) => this.calls.inc({ outcome }),
      }),
    };
  }
}

function retire({ provider }: StorageAccess): void {
  setTimeout(() => provider.stop(), LAST_CALL_MS).unref();
}
