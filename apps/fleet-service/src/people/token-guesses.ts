import { placeOf } from '@aerie/http-api';
import { type Rate, TokenBuckets, TooManyError } from '@aerie/kernel';

/** Tokens are 32 random bytes, so this only bounds the work that whoever guesses makes. */
const RATE: Rate = { perSecond: 0.1, burst: 20 };
const MOST_ADDRESSES = 10_000;

/** How many wrong tokens may come from one address. */
export class TokenGuesses {
  private readonly addresses: TokenBuckets;

  constructor(monotonicMs: () => number = () => performance.now()) {
    this.addresses = new TokenBuckets(RATE, MOST_ADDRESSES, monotonicMs);
  }

  /** What `find` found. Throws TooManyError before it looks where too many wrong ones came from this address. */
  async guess<Found>(address: string, find: () => Promise<Found | null>): Promise<Found | null> {
    this.refuse(address);
    const found = await find();
    if (found === null) this.addresses.take(placeOf(address));
    return found;
  }

  private refuse(address: string): void {
    if (this.addresses.has(placeOf(address))) return;
    const retryAfterMs = Math.ceil(1_000 / RATE.perSecond);
    const message = `too many wrong tokens came from this address; nothing was done, try again in ${retryAfterMs / 1_000} s`;
    throw new TooManyError('too_many_requests', message, { details: { limit: 'address', retryAfterMs } });
  }
}
