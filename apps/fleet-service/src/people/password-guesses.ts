import { setTimeout } from 'node:timers/promises';
import { placeOf } from '@aerie/http-api';
import { type Rate, TokenBuckets, TooManyError, UnauthenticatedError, UnavailableError } from '@aerie/kernel';
import { LRUCache } from 'lru-cache';

/** Wrong passwords for one email from one address. */
const PAIR: Rate = { perSecond: 1 / 30, burst: 5 };
/** Wrong passwords from one address, for whatever emails: many people may sit behind it. */
const ADDRESS: Rate = { perSecond: 1 / 10, burst: 30 };
/** Wrong passwords for one email from all addresses. Beyond them nobody is refused, and everybody has to wait. */
const EMAIL: Rate = { perSecond: 1 / 30, burst: 10 };
const SLOWED_MS = 2_000;
/** Requests that wait because of their email, at once. */
const MOST_SLOWED = 500;
const MOST_NAMES = 50_000;

/**
 * How many wrong passwords are looked at. Counts are of this process. Who guesses from one address is refused there; who
 * guesses from many is slowed down, and so is everybody with that email, but nobody is locked out by what others do:
 * from an address where the right password was sent before, an email waits for nobody.
 */
export class PasswordGuesses {
  private readonly pairs: TokenBuckets;
  private readonly addresses: TokenBuckets;
  private readonly emails: TokenBuckets;
  private readonly good = new LRUCache<string, true>({ max: MOST_NAMES });
  private slowed = 0;

  constructor(
    monotonicMs: () => number = () => performance.now(),
    private readonly slowedMs = SLOWED_MS,
  ) {
    this.pairs = new TokenBuckets(PAIR, MOST_NAMES, monotonicMs);
    this.addresses = new TokenBuckets(ADDRESS, MOST_NAMES, monotonicMs);
    this.emails = new TokenBuckets(EMAIL, MOST_NAMES, monotonicMs);
  }

  /**
   * Does `work`, which throws UnauthenticatedError for a wrong password. Each budget is charged beforehand, because many
   * requests may come at once, and is given back where the password was not wrong. Throws TooManyError.
   */
  async prove<Result>(email: string, address: string, work: () => Promise<Result>): Promise<Result> {
    const [name, place] = [email.toLowerCase(), placeOf(address)];
    const pair = `${name} ${place}`;
    const isKnownHere = this.good.has(pair);
    refuse(this.pairs.take(pair), 'for this email');
    if (!isKnownHere) {
      const waitMs = this.addresses.take(place);
      if (waitMs > 0) this.pairs.giveBack(pair);
      refuse(waitMs, 'for several emails');
      if (this.emails.take(name) > 0) await this.slowDown();
    }
    try {
      const result = await work();
      this.good.set(pair, true);
      this.forgive(pair, place, name, isKnownHere);
      return result;
    } catch (error) {
      if (!(error instanceof UnauthenticatedError)) this.forgive(pair, place, name, isKnownHere);
      throw error;
    }
  }

  private forgive(pair: string, place: string, name: string, isKnownHere: boolean): void {
    this.pairs.giveBack(pair);
    if (isKnownHere) return;
    this.addresses.giveBack(place);
    this.emails.giveBack(name);
  }

  private async slowDown(): Promise<void> {
    if (this.slowed >= MOST_SLOWED) {
      throw new UnavailableError('sign_in_busy', 'too many passwords are being checked, try again');
    }
    this.slowed++;
    await setTimeout(this.slowedMs, undefined, { ref: false });
    this.slowed--;
  }
}

function refuse(retryAfterMs: number, what: string): void {
  if (retryAfterMs === 0) return;
  const message =
    `too many wrong passwords ${what} came from this address; nothing was done, ` +
    `try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
  throw new TooManyError('too_many_requests', message, { details: { limit: 'address', retryAfterMs } });
}
