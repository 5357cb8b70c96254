export interface OrderPoolOptions<Order> {
  /** Orders in work at once. */
  readonly concurrency: number;
  /** Orders that wait for a place, at most. */
  readonly maxWaiting: number;
  readonly carryOut: (order: Order) => Promise<void>;
  readonly onError: (error: unknown, order: Order) => void;
}

/** Work that is done so many at a time, first come first served; what comes beyond the limit of those that wait is refused. */
export class OrderPool<Order> {
  private readonly waiting: Order[] = [];
  private readonly inWork = new Set<Promise<void>>();

  constructor(private readonly options: OrderPoolOptions<Order>) {}

  /** Some time soon. Never waits, never fails. False: too many wait, and this one is not carried out. */
  add(order: Order): boolean {
    const isTaken = this.waiting.length < this.options.maxWaiting;
    if (isTaken) this.waiting.push(order);
    this.pump();
    return isTaken;
  }

  get isIdle(): boolean {
    return this.inWork.size === 0;
  }

  /** Until nothing waits or is in work. */
  async settle(): Promise<void> {
    while (!this.isIdle) await Promise.all(this.inWork);
  }

  private pump(): void {
    const { concurrency, carryOut, onError } = this.options;
    while (this.inWork.size < concurrency) {
      const order = this.waiting.shift();
      if (order === undefined) return;
      const work: Promise<void> = carryOut(order)
        .catch((error: unknown) => onError(error, order))
        .finally(() => {
          this.inWork.delete(work);
          this.pump();
        });
      this.inWork.add(work);
    }
  }
}
