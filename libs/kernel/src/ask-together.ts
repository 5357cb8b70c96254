import { later } from './later.js';
import { takeGroup } from './take-group.js';

interface Asked<Value> {
  readonly key: string;
  /** Asks for all of these, on behalf of this one. */
  readonly askFor: (batch: readonly Asked<Value>[]) => Promise<void>;
  readonly resolve: (value: Value | null) => void;
  readonly reject: (error: unknown) => void;
}

/** As many as one question takes. */
const AT_ONCE = 500;

/**
 * Answers for single keys by questions for many: all that is asked while a question is under way shares the next one.
 * A herd costs a few questions instead of thousands, and one that asks alone waits for nobody. A question belongs to the
 * trace of the first who shares it.
 *
 * INVARIANTS: one question is under way at a time; nothing is remembered.
 */
export class AskTogether<Value> {
  private readonly asked: Asked<Value>[] = [];
  private asking = false;

  /**
   * @param askMany gives what is known of these keys; it may reject, and then all of them do
   * @param groupOf keys of different groups share no question
   */
  constructor(
    private readonly askMany: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    private readonly groupOf?: (key: string) => string,
  ) {}

  /** Null: nothing is known of this key. Rejects when that cannot be said now. */
  find(key: string): Promise<Value | null> {
    return new Promise((resolve, reject) => {
      this.asked.push({ key, askFor: later((batch) => this.askFor(batch)), resolve, reject });
      if (!this.asking) void this.askForAll();
    });
  }

  private async askForAll(): Promise<void> {
    this.asking = true;
    // Whoever asks in this turn goes along.
    await Promise.resolve();
    while (this.asked.length > 0) {
      const { groupOf } = this;
      const batch = takeGroup(this.asked, AT_ONCE, groupOf && (({ key }) => groupOf(key)));
      await batch[0]?.askFor(batch);
    }
    this.asking = false;
  }

  /** Never rejects. */
  private async askFor(batch: readonly Asked<Value>[]): Promise<void> {
    try {
      const found = await this.askMany([...new Set(batch.map(({ key }) => key))]);
      for (const { key, resolve } of batch) resolve(found.get(key) ?? null);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
