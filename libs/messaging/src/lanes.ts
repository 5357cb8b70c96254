/**
 * Work in batches, in several lanes at once. What has one key goes through one lane, in its order. What arrives while a
 * lane is busy is its next batch; what arrives at a free lane is handled in this turn of the event loop, unless it may
 * wait for company. What may wait is handled when its time is up, with all of its lane, or with the next item of its own
 * key that may not.
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

  /** `mayWaitMs`: for how long it may wait for others. What comes of its key later and may not wait takes it along. */
  add(key: string, item: Item, mayWaitMs = 0): void {
    const lane = this.lanes[hashOf(key) % this.lanes.length];
    if (lane === undefined) throw new Error('there are no lanes');
    lane.waiting.push({ key, item, isUrgent: mayWaitMs <= 0, untilMs: performance.now() + mayWaitMs });
    lane.hurries ||= lane.waiting.length >= this.maxBatch;
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
    if (!mayNotWait(lane)) {
      // The first one says for how long: the others came later.
      lane.timer ??= setTimeout(
        () => {
          lane.hurries = true;
          void this.work(lane);
        },
        Math.max(0, first.untilMs - performance.now()),
      );
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
    do await this.handle(this.takeBatch(lane).map(({ item }) => item));
    while (mayNotWait(lane) && lane.waiting.length > 0);
    lane.busy = false;
    this.start(lane);
  }

  private takeBatch(lane: Lane<Item>): readonly Waiting<Item>[] {
    if (lane.hurries) {
      const batch = lane.waiting.splice(0, this.maxBatch);
      // More than one batch: those behind it have waited long enough.
      lane.hurries = lane.waiting.length > 0;
      return batch;
    }
    const urgent = new Set(lane.waiting.filter(({ isUrgent }) => isUrgent).map(({ key }) => key));
    const batch: Waiting<Item>[] = [];
    const others: Waiting<Item>[] = [];
    for (const one of lane.waiting) (urgent.has(one.key) && batch.length < this.maxBatch ? batch : others).push(one);
    lane.waiting = others;
    return batch;
  }
}

const mayNotWait = <Item>({ hurries, waiting }: Lane<Item>): boolean =>
  hurries || waiting.some(({ isUrgent }) => isUrgent);

interface Waiting<Item> {
  readonly key: string;
  readonly item: Item;
  /** It may not wait. */
  readonly isUrgent: boolean;
  readonly untilMs: number;
}

interface Lane<Item> {
  waiting: Waiting<Item>[];
  busy: boolean;
  /** Whether all that waits in it has to go. */
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
