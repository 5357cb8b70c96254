import { later } from './later.js';
import { takeGroup } from './take-group.js';

export interface RunTogetherOptions<Item, Result> {
  /** Items in one run, at most. */
  readonly atOnce: number;
  /** Runs under way at the same time, at most: while one waits, another one goes on. */
  readonly runs: number;
  /** Items of different groups share no run. */
  readonly groupOf?: (item: Item) => string;
  /** A result for each item, in their order. When it throws, nothing of the run has happened. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /**
   * Whether an error would meet each item alone as well, or does not prove that nothing has happened. Then all of the run
   * fail; after any other error the run is repeated with halves of it, down to the one item at fault.
   */
  readonly failsAll: (error: unknown) => boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  /** Runs all of these, on behalf of this one. */
  readonly runOnce: (group: readonly Waiting<Item, Result>[]) => Promise<void>;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Work in groups: what is asked for while a run is under way shares the next one. A herd costs a few runs instead of
 * thousands, and one that comes alone waits for nobody. A run belongs to the trace of the first of its group.
 */
export class RunTogether<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private running = 0;

  constructor(private readonly options: RunTogetherOptions<Item, Result>) {}

  /** Rejects with the error of the run, where the item is at fault or `failsAll` says that all are. */
  run(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, runOnce: later((group) => this.runOnce(group)), resolve, reject });
      if (this.running < this.options.runs) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.running++;
    // Whoever asks in this turn goes along.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const { atOnce, groupOf } = this.options;
      const group = takeGroup(this.waiting, atOnce, groupOf && (({ item }) => groupOf(item)));
      // Nobody is left waiting, nor a run taken for under way, when `failsAll` itself fails.
      await group[0]?.runOnce(group).catch((error: unknown) => group.forEach(({ reject }) => reject(error)));
    }
    this.running--;
  }

  private async runOnce(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.run(group.map(({ item }) => item));
      if (results.length !== group.length) throw new Error(`${results.length} results for ${group.length} items`);
      group.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (group.length === 1 || this.options.failsAll(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      const half = group.length >> 1;
      await this.runOnce(group.slice(0, half));
      await this.runOnce(group.slice(half));
    }
  }
}
