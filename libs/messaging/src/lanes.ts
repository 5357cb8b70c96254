/**
 * Work in batches, in several lanes at once. What has one key goes through one lane, in its order. What arrives while a
 * lane is busy is its next batch; what arrives at a free lane is handled in this turn of the event loop.
 */
export class Lanes<Item> {
  private readonly lanes: readonly { readonly waiting: Item[]; busy: boolean }[];

  constructor(
    count: number,
    private readonly maxBatch: number,
    /** Must not reject. */
    private readonly handle: (batch: readonly Item[]) => Promise<void>,
  ) {
    this.lanes = Array.from({ length: count }, () => ({ waiting: [], busy: false }));
  }

  add(key: string, item: Item): void {
    const lane = this.lanes[hashOf(key) % this.lanes.length];
    if (lane === undefined) throw new Error('there are no lanes');
    lane.waiting.push(item);
    if (lane.busy) return;
    lane.busy = true;
    // Whatever else arrives in this turn goes along.
    setImmediate(() => void this.work(lane));
  }

  private async work(lane: { readonly waiting: Item[]; busy: boolean }): Promise<void> {
    while (lane.waiting.length > 0) await this.handle(lane.waiting.splice(0, this.maxBatch));
    lane.busy = false;
  }
}

/** FNV-1a: spreads serial numbers that differ in their last digits only. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
