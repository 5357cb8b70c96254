import { type Clock, UnavailableError } from '@aerie/kernel';
import { LRUCache } from 'lru-cache';
import type { IssuedKeys } from '../providers/storage.provider.js';

export interface CachedKeysOptions {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** How many sets of keys are remembered. */
  readonly max: number;
  /** Told of each call to the provider once it has ended. */
  readonly observe?: (outcome: 'issued' | 'failed') => void;
}

interface Kept {
  readonly keys: IssuedKeys;
  /** From here on new keys are asked for. */
  readonly refreshAtMs: number;
}

/** Given out at least for so long: a dock that asks now is not to be cut off in the middle of a file. */
const LEAST_LIFE_MS = 15 * 60_000;
/** Keys are renewed when between these parts of their life are over: not all docks at the same instant. */
const REFRESH_FROM = 0.5;
const REFRESH_TO = 0.7;
/** So many failures of the provider in a row, and it is left alone for a while. */
const FAILURES_TO_OPEN = 5;
const OPEN_MS = 10_000;

/**
 * Keys of a provider, remembered for each prefix.
 *
 * INVARIANTS: at most one call to the provider is under way for a prefix; keys that are given out live for 15 minutes
 * more; while the provider fails, and while it is left alone, remembered keys serve as long as that holds.
 */
export class CachedKeys {
  private readonly kept: LRUCache<string, Kept>;
  private readonly calls = new Map<string, Promise<IssuedKeys>>();
  private failures = 0;
  private openUntilMs = 0;

  constructor(private readonly options: CachedKeysOptions) {
    this.kept = new LRUCache({ max: options.max });
  }

  /** @throws UnavailableError when the provider gives none and none are remembered that live long enough. */
  async keysFor(key: string, issue: () => Promise<IssuedKeys>): Promise<IssuedKeys> {
    const nowMs = this.options.clock.nowMs();
    const kept = this.kept.get(key);
    const serves = kept !== undefined && kept.keys.expiresAtMs - nowMs > LEAST_LIFE_MS;
    if (serves && nowMs < kept.refreshAtMs) return kept.keys;
    const fresh = this.calls.get(key) ?? this.call(key, issue);
    if (!serves) return fresh;
    // The old ones do for now: nobody waits for a renewal, and its failure hurts nobody yet.
    fresh.catch(() => undefined);
    return kept.keys;
  }

  /** Keys that were given out before are not given out again. */
  forget(belongs: (key: string) => boolean): void {
    for (const key of [...this.kept.keys()]) if (belongs(key)) this.kept.delete(key);
  }

  private call(key: string, issue: () => Promise<IssuedKeys>): Promise<IssuedKeys> {
    const { clock } = this.options;
    if (clock.nowMs() < this.openUntilMs) {
      const error = new UnavailableError('storage_unavailable', 'the storage gives out no keys now, try again');
      return Promise.reject(error);
    }
    const call = issue()
      .then((keys) => {
        this.failures = 0;
        this.options.observe?.('issued');
        this.keep(key, keys);
        return keys;
      })
      .catch((error: unknown) => {
        this.failures += 1;
        this.options.observe?.('failed');
        if (this.failures >= FAILURES_TO_OPEN) this.openUntilMs = clock.nowMs() + OPEN_MS;
        throw error;
      })
      .finally(() => this.calls.delete(key));
    this.calls.set(key, call);
    return call;
  }

  private keep(key: string, keys: IssuedKeys): void {
    const { clock, random } = this.options;
    const nowMs = clock.nowMs();
    const part = REFRESH_FROM + (REFRESH_TO - REFRESH_FROM) * random();
    this.kept.set(key, { keys, refreshAtMs: nowMs + (keys.expiresAtMs - nowMs) * part });
  }
}
