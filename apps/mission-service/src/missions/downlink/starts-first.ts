/** Events keep at least a quarter of the time: the ends of flights are events. */
const WAITS_PER_WORK = 3;
/** The end of a flight is taken within two seconds, and may have to wait for two batches. */
const LONGEST_WAIT_MS = 400;

/**
 * While starts are under way, what docks report waits: each start has its instant, and the first reports of a herd that
 * has started would take the time that the rest of it needs. Replies, and what people ask for, wait for nobody.
 */
export class StartsFirst {
  private underWay = 0;
  private waiting: (() => void)[] = [];

  /** Work that starts something. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.underWay++;
    try {
      return await work();
    } finally {
      this.underWay--;
      if (this.underWay === 0) for (const go of this.waiting.splice(0)) go();
    }
  }

  /** Before a batch of reports: waits until no start is under way, at most three times as long as the last batch took. */
  async makeWay(lastBatchMs: number): Promise<void> {
    const longestMs = Math.min(lastBatchMs * WAITS_PER_WORK, LONGEST_WAIT_MS);
    if (this.underWay === 0 || longestMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((go) => go !== done);
        resolve();
      }, longestMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting.push(done);
    });
  }
}
