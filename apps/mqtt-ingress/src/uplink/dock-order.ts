/**
 * One message of a dock at a time, in the order in which they came; those of different docks side by side. When one fails,
 * all that wait are left out: the broker sends them again, in their order.
 */
export class DockOrder {
  /** The last message of each dock that has some in work. */
  private readonly last = new Map<string, Promise<void>>();
  private round = 0;

  /** Whether a message of this dock is in work. */
  isBusy(sn: string): boolean {
    return this.last.has(sn);
  }

  /** Whatever waits for its turn now is left out. */
  breakOff(): void {
    this.round++;
  }

  /**
   * Does `work` once all that came before of this dock is done. Returns false where it was left out.
   * @throws what `work` throws
   */
  async run(sn: string, work: () => Promise<void>): Promise<boolean> {
    const { round } = this;
    const before = this.last.get(sn);
    const mine = before === undefined ? work().then(() => true) : before.then(() => this.next(round, work));
    const settled = mine.then(
      () => undefined,
      // Before the next one of this dock begins, which waits for this.
      () => this.breakOff(),
    );
    this.last.set(sn, settled);
    try {
      return await mine;
    } finally {
      if (this.last.get(sn) === settled) this.last.delete(sn);
    }
  }

  private async next(round: number, work: () => Promise<void>): Promise<boolean> {
    if (round !== this.round) return false;
    await work();
    return true;
  }
}
