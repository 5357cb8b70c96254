import { placeOf } from '@aerie/http-api';
import { type Rate, TokenBuckets, TooManyError } from '@aerie/kernel';

export interface GuessLimit {
  readonly rate: Rate;
  /** For the message: what came too often. */
  readonly what: string;
}

/** Tokens are 32 random bytes, so this only bounds the work that whoever guesses makes. */
const TOKENS: GuessLimit = { rate: { perSecond: 0.1, burst: 20 }, what: 'wrong tokens' };
/** Nothing can be guessed here. Many people may share the address of an office. */
export const PROVIDER_SIGN_INS: GuessLimit = { rate: { perSecond: 1, burst: 100 }, what: 'refused sign-ins' };
/** Each is kept for minutes. */
export const BEGUN_SIGN_INS: GuessLimit = { rate: { perSecond: 1, burst: 100 }, what: 'begun sign-ins' };
const MOST_ADDRESSES = 10_000;

/** How many wrong tokens may come from one address. */
export class TokenGuesses {
  private readonly addresses: TokenBuckets;

  constructor(
    private readonly limit: GuessLimit = TOKENS,
    monotonicMs: () => number = () => performance.now(),
  ) {
    this.addresses = new TokenBuckets(limit.rate, MOST_ADDRESSES, monotonicMs);
  }

  /** What `find` found. Throws TooManyError before it looks where too many wrong ones came from this address. */
  async guess<Found>(address: string, find: () => Promise<Found | null>): Promise<Found | null> {
    this.refuse(address);
    const found = await find();
    if (found === null) this.addresses.take(placeOf(address));
    return found;
  }

  /** Counts what is done for anybody, right or wrong. Throws TooManyError. */
  count(address: string): void {
    this.refuse(address);
    this.addresses.take(placeOf(address));
  }

  private refuse(address: string): void {
    if (this.addresses.has(placeOf(address))) return;
    const { rate, what } = this.limit;
    const retryAfterMs = Math.ceil(1_000 / rate.perSecond);
    const message = `too many ${what} came from this address; nothing was done, try again in ${retryAfterMs / 1_000} s`;
    throw new TooManyError('too_many_requests', message, { details: { limit: 'address', retryAfterMs } });
  }
}
