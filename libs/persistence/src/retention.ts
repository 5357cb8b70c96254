import { setTimeout } from 'node:timers/promises';
import type { Logger, Metrics } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { type Tx, inTransaction } from './transaction.js';

/** What one small transaction has deleted. */
export interface PrunedBatch {
  /** Rows by table, its schema left out. */
  readonly rows: Readonly<Record<string, number>>;
  /** The batch was full: there may be more. */
  readonly more: boolean;
}

/** One kind of rows that is deleted when it is old. */
export interface Prune {
  readonly name: string;
  /** Deletes one small batch, found by an index. Locks only rows that nobody else has locked. */
  readonly batch: (tx: Tx) => Promise<PrunedBatch>;
}

export interface OldRows {
  /** With its schema. A constant of our own, never input. */
  readonly table: string;
  /** The column that says how old a row is. It has an index. */
  readonly at: string;
  readonly days: number;
  /** Fewer days are a mistake of the program: settings refuse them at start. */
  readonly leastDays?: number;
  /** A condition that a row has to meet as well. */
  readonly where?: string;
}

/** Rows of one transaction. */
const ROWS = 2_000;

/** Deletes the rows that are older than some days, the oldest first. */
export function pruneOldRows({ table, at, days, leastDays = 1, where = 'true' }: OldRows, rows = ROWS): Prune {
  if (!Number.isInteger(days) || days < leastDays) {
    throw new RangeError(`${table} is kept for ${leastDays} days at least, not for ${days}`);
  }
  const name = table.split('.').at(-1) ?? table;
  return {
    name,
    async batch(tx) {
      const deleted = await tx.run(
        // By place, not by key: a row that is locked by another replica is left to it. By now(), which bounds the index:
        // clock_timestamp() may change from row to row, so the index would be read to its end for a few old rows.
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM ${table} WHERE ${at} < now() - make_interval(days => $1) AND ${where}
            ORDER BY ${at} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
        [days, rows],
      );
      return { rows: { [name]: deleted }, more: deleted === rows };
    },
  };
}

export interface RetentionOptions {
  /** A pool that no flight waits for. */
  readonly dataSource: DataSource;
  readonly prunes: readonly Prune[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For how long one run goes on while there is more to delete, milliseconds. */
  readonly longestRunMs?: number;
}

/** With a run each minute: half of the time of one connection at most, also after months without retention. */
const LONGEST_RUN_MS = 30_000;

/**
 * Deletes what is older than its setting says, a small batch of each kind in turn, until nothing is left or the time of
 * the run is over. Every replica does so; the rows are shared out by the database. A kind that fails is logged and left
 * to the next run, and keeps no other waiting.
 */
export class Retention {
  private readonly pruned;

  constructor(private readonly options: RetentionOptions) {
    this.pruned = options.metrics.counter('retention_pruned_total', 'Rows that retention has deleted, by table.', [
      'table',
    ]);
  }

  /** Returns how many rows were deleted. */
  async run(stopping: AbortSignal = new AbortController().signal): Promise<number> {
    const { longestRunMs = LONGEST_RUN_MS } = this.options;
    const endMs = performance.now() + longestRunMs;
    let left = this.options.prunes;
    let total = 0;
    while (left.length > 0) {
      const again: Prune[] = [];
      for (const prune of left) {
        if (stopping.aborted || performance.now() >= endMs) return total;
        const startedMs = performance.now();
        const { rows, more } = await this.batch(prune);
        for (const [table, count] of Object.entries(rows)) {
          if (count > 0) this.pruned.inc({ table }, count);
          total += count;
        }
        if (!more) continue;
        again.push(prune);
        // As long a pause as the batch took: the disk has other work.
        await setTimeout(performance.now() - startedMs, undefined, { signal: stopping }).catch(() => undefined);
      }
      left = again;
    }
    return total;
  }

  private async batch(prune: Prune): Promise<PrunedBatch> {
    try {
      return await inTransaction(this.options.dataSource, (tx) => prune.batch(tx));
    } catch (error) {
      this.options.logger.warn({ err: error, rows: prune.name }, 'failed to delete old rows, trying again in a minute');
      return { rows: {}, more: false };
    }
  }
}
