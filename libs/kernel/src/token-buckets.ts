export interface Rate {
  /** Tokens that come back each second. 0: no limit. */
  readonly perSecond: number;
  /** Tokens of a bucket that nobody used for a while. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * A bucket of tokens for each name. Of the names that were not heard for longest one is forgotten when there are too many:
 * its bucket is full again, which is what most forgotten ones would be by then.
 */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly rate: Rate,
    private readonly most: number,
    private readonly monotonicMs: () => number,
  ) {}

  /** Takes a token: 0. Where there is none, takes nothing and gives for how many milliseconds there will be none. */
  take(name: string): number {
    const { perSecond } = this.rate;
    if (perSecond === 0) return 0;
    const bucket = this.find(name);
    this.buckets.set(name, bucket);
    if (this.buckets.size > this.most) this.forgetOldest();
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000);
    bucket.tokens--;
    return 0;
  }

  /** Puts one back that was taken. */
  giveBack(name: string): void {
    const bucket = this.find(name);
    bucket.tokens = Math.min(this.rate.burst, bucket.tokens + 1);
  }

  /** Whether there is a token; takes none. */
  has(name: string): boolean {
    return this.rate.perSecond === 0 || this.find(name).tokens >= 1;
  }

  private find(name: string): Bucket {
    const { perSecond, burst } = this.rate;
    const nowMs = this.monotonicMs();
    const known = this.buckets.get(name);
    this.buckets.delete(name);
    if (known === undefined) return { tokens: burst, atMs: nowMs };
    known.tokens = Math.min(burst, known.tokens + ((nowMs - known.atMs) / 1_000) * perSecond);
    known.atMs = nowMs;
    this.buckets.set(name, known);
    return known;
  }

  private forgetOldest(): void {
    const [oldest] = this.buckets.keys();
    if (oldest !== undefined) this.buckets.delete(oldest);
  }
}
