/** Work that is done so many at a time; what comes beyond the limit of those that wait is dropped. */
export class OrderPool<Order> {
  private readonly waiting: Order[] = [];
  private readonly inWork = new Set<Promise<void>>();

  constructor(
    private readonly options: {
      readonly concurrency: number;
      readonly maxWaiting: number;
      readonly carryOut: (order: Order) => Promise<void>;
      readonly onError: (error: unknown, order: Order) => void;
    },
  ) {}

  /** Some time soon. Never waits, never fails. */
  add(order: Order): void {
    if (this.waiting.length < this.options.maxWaiting) this.waiting.push(order);
    this.pump();
  }

  /** Until nothing waits or is in work. */
  async settle(): Promise<void> {
    while (this.inWork.size > 0) await Promise.all(this.inWork);
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
