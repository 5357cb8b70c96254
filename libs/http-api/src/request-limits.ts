import { createHash } from 'node:crypto';
import type { Permission, Principal } from '@aerie/bus-contract';
import { type Rate, TokenBuckets, TooManyError } from '@aerie/kernel';
import { LRUCache } from 'lru-cache';

export interface LimitSettings {
  /** Requests of one key, but for those that end flights. */
  readonly perKey: Rate;
  /** Requests of all keys of one organisation together, but for those that end flights. */
  readonly perOrganisation: Rate;
}

/** What ends or halts a flight, or calls one off, has a budget of its own: who asks too much can still do that. */
const RESERVED: ReadonlySet<Permission> = new Set(['missions.stop', 'missions.cancel']);
const RESERVED_RATE: Rate = { perSecond: 5, burst: 100 };
/** Keys that were refused. A program with an old key tries again and again; who guesses has to try 2^255 of them. */
const FAILURES: Rate = { perSecond: 1, burst: 60 };
/** What the roles of a key do not permit: a program that was given too few, or somebody who looks what it may. */
const REFUSALS: Rate = { perSecond: 1, burst: 200 };
const MOST_KEYS = 10_000;
const MOST_ORGANISATIONS = 10_000;
const MOST_ADDRESSES = 50_000;

/** Seconds of the rate that may come at once. */
const BURST_SECONDS = 10;
const rateOf = (perSecond: number): Rate => ({ perSecond, burst: perSecond * BURST_SECONDS });

/** Limits as the settings of a service have them, requests a second. */
export const limitsOf = (config: {
  readonly HTTP_REQUESTS_PER_SECOND_PER_KEY: number;
  readonly HTTP_REQUESTS_PER_SECOND_PER_ORGANISATION: number;
}): RequestLimits =>
  new RequestLimits({
    perKey: rateOf(config.HTTP_REQUESTS_PER_SECOND_PER_KEY),
    perOrganisation: rateOf(config.HTTP_REQUESTS_PER_SECOND_PER_ORGANISATION),
  });

/** How much of this replica one caller may have. All counts are of this process. */
export class RequestLimits {
  private readonly keys: TokenBuckets;
  private readonly organisations: TokenBuckets;
  private readonly reserved: TokenBuckets;
  private readonly failures: TokenBuckets;
  private readonly refusals: TokenBuckets;
  /** Digests of keys that were good not long ago. */
  private readonly good = new LRUCache<string, true>({ max: MOST_KEYS });

  constructor({ perKey, perOrganisation }: LimitSettings, monotonicMs: () => number = () => performance.now()) {
    this.keys = new TokenBuckets(perKey, MOST_KEYS, monotonicMs);
    this.organisations = new TokenBuckets(perOrganisation, MOST_ORGANISATIONS, monotonicMs);
    this.reserved = new TokenBuckets(RESERVED_RATE, MOST_KEYS, monotonicMs);
    this.refusals = new TokenBuckets(REFUSALS, MOST_KEYS, monotonicMs);
    this.failures = new TokenBuckets(FAILURES, MOST_ADDRESSES, monotonicMs);
  }

  /**
   * What `verify` says of the key. From an address that sent too many bad ones only a key that was good before is looked at:
   * others behind the same address go on. Throws TooManyError.
   */
  async guess<Found>(key: string, address: string, verify: () => Promise<Found | null>): Promise<Found | null> {
    const digest = createHash('sha256').update(key).digest('base64');
    const place = placeOf(address);
    if (!this.failures.has(place) && !this.good.has(digest)) {
      throw tooMany('address', 'too many keys that are not valid came from this address', 1_000);
    }
    const found = await verify();
    if (found !== null) this.good.set(digest, true);
    else {
      this.good.delete(digest);
      this.failures.take(place);
    }
    return found;
  }

  /**
   * Counts a request that no role permits: each of them is kept on record, for years. Throws TooManyError, and then it is not.
   */
  admitRefused({ keyId, personId }: Principal): void {
    refuse('key', this.refusals.take(personId ?? keyId), 'too many requests that are not permitted came with this key');
  }

  /** Throws TooManyError where the caller has asked too often lately. */
  admit({ keyId, personId, organisationId }: Principal, permission: Permission): void {
    // All sessions of a person count as one.
    const holder = personId ?? keyId;
    if (RESERVED.has(permission)) {
      refuse('key', this.reserved.take(holder), 'too many flights were ended or called off with this key');
      return;
    }
    refuse('key', this.keys.take(holder), 'too many requests came with this key');
    refuse('organisation', this.organisations.take(organisationId), 'too many requests came from this organisation');
  }
}

function refuse(limit: 'key' | 'organisation', waitMs: number, message: string): void {
  if (waitMs > 0) throw tooMany(limit, message, waitMs);
}

const tooMany = (limit: 'key' | 'organisation' | 'address', what: string, waitMs: number): TooManyError =>
  new TooManyError('too_many_requests', `${what}; nothing was done, try again in ${Math.ceil(waitMs / 1_000)} s`, {
    details: { limit, retryAfterMs: waitMs },
  });

/** One caller has a whole network of IPv6, so its first half counts as one place. */
export function placeOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [front = '', back = ''] = address.split('::');
  const groups = front.split(':');
  const fill = address.includes('::') ? 8 - groups.length - back.split(':').length : 0;
  return [...groups, ...Array.from({ length: Math.max(0, fill) }, () => '0')].slice(0, 4).join(':');
}
