interface Waiting {
  readonly start: () => void;
}

export interface WorkSharesOptions<Kind extends string> {
  /** Who is served first with a spare place. */
  readonly order: readonly Kind[];
  /** Places beside the one that each kind has of its own. */
  readonly spare: number;
}

/**
 * Shares of one resource for several kinds of work. Each kind has one place that nobody else takes, so that none starves;
 * spare places go to the first kind in the order that waits. Within a kind the order is kept.
 *
 * Work must not ask for another place while it has one: two that wait for each other would wait for ever.
 */
export class WorkShares<Kind extends string> {
  private readonly inWork = new Map<Kind, number>();
  private readonly waiting = new Map<Kind, Waiting[]>();

  constructor(private readonly options: WorkSharesOptions<Kind>) {
    for (const kind of options.order) {
      this.inWork.set(kind, 0);
      this.waiting.set(kind, []);
    }
  }

  async run<Result>(kind: Kind, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((start) => {
      this.queueOf(kind).push({ start });
      this.startNext();
    });
    try {
      return await work();
    } finally {
      this.inWork.set(kind, this.countOf(kind) - 1);
      this.startNext();
    }
  }

  /** How much of a kind waits for its place. */
  waitingOf(kind: Kind): number {
    return this.queueOf(kind).length;
  }

  private startNext(): void {
    const { order, spare } = this.options;
    for (const kind of order) if (this.countOf(kind) === 0) this.start(kind);
    const spareInUse = (): number => order.reduce((sum, kind) => sum + Math.max(0, this.countOf(kind) - 1), 0);
    for (const kind of order) {
      while (this.queueOf(kind).length > 0 && spareInUse() < spare) this.start(kind);
    }
  }

  private start(kind: Kind): void {
    const next = this.queueOf(kind).shift();
    if (next === undefined) return;
    this.inWork.set(kind, this.countOf(kind) + 1);
    next.start();
  }

  private countOf(kind: Kind): number {
    return this.inWork.get(kind) ?? 0;
  }

  private queueOf(kind: Kind): Waiting[] {
    const queue = this.waiting.get(kind);
    if (queue === undefined) throw new Error(`there is no share for ${kind}`);
    return queue;
  }
}
