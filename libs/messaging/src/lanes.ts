/**
 * Work in batches, in several lanes at once. What has one key goes through one lane, in its order. What arrives while a
 * lane is busy is its next batch; what arrives at a free lane is handled in this turn of the event loop, unless it may
 * wait for company.
 */
export class Lanes<Item> {
  private readonly lanes: readonly Lane<Item>[];

  constructor(
    count: number,
    private readonly maxBatch: number,
    /** Must not reject. */
    private readonly handle: (batch: readonly Item[]) => Promise<void>,
  ) {
    this.lanes = Array.from({ length: count }, () => ({ waiting: [], busy: false, hurries: false, timer: undefined }));
  }

  /** `mayWaitMs`: for how long it may wait for others. What comes to its lane later and may not wait takes it along. */
  add(key: string, item: Item, mayWaitMs = 0): void {
    const lane = this.lanes[hashOf(key) % this.lanes.length];
    if (lane === undefined) throw new Error('there are no lanes');
    lane.waiting.push({ item, untilMs: performance.now() + mayWaitMs });
    lane.hurries ||= mayWaitMs <= 0 || lane.waiting.length >= this.maxBatch;
    if (!lane.busy) this.start(lane);
  }

  /** Nothing that waits now waits for company any longer. */
  hurry(): void {
    for (const lane of this.lanes) {
      lane.hurries = true;
      if (!lane.busy) this.start(lane);
    }
  }

  private start(lane: Lane<Item>): void {
    const [first] = lane.waiting;
    if (first === undefined) {
      lane.hurries = false;
      return;
    }
    if (!lane.hurries) {
      // The first one says for how long: the others came later.
      lane.timer ??= setTimeout(() => void this.work(lane), Math.max(0, first.untilMs - performance.now()));
      return;
    }
    lane.busy = true;
    // It could still fire before the turn ends: then two batches of one lane would be in work at once.
    clearTimeout(lane.timer);
    // Whatever else arrives in this turn goes along.
    setImmediate(() => void this.work(lane));
  }

  private async work(lane: Lane<Item>): Promise<void> {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    lane.busy = true;
    do {
      // More than one batch: those behind it have waited long enough.
      lane.hurries = lane.waiting.length > this.maxBatch;
      await this.handle(lane.waiting.splice(0, this.maxBatch).map(({ item }) => item));
    } while (lane.hurries && lane.waiting.length > 0);
    lane.busy = false;
    this.start(lane);
  }
}

interface Lane<Item> {
  readonly waiting: { readonly item: Item; readonly untilMs: number }[];
  busy: boolean;
  /** Whether something in it may not wait. */
  hurries: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** FNV-1a: spreads serial numbers that differ in their last digits only. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
