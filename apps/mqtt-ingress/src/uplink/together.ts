/** More than this does not wait for the rest of its time. */
const MOST = 1_000;

/** Hands on what comes within a short time at once: each wake-up of a process costs more than the work on one message. */
export class Together<Item> {
  private waiting: Item[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly withinMs: number,
    private readonly handOn: (items: readonly Item[]) => void,
  ) {}

  add(item: Item): void {
    this.waiting.push(item);
    if (this.waiting.length >= MOST) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.withinMs);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const items = this.waiting;
    this.waiting = [];
    if (items.length > 0) this.handOn(items);
  }
}
