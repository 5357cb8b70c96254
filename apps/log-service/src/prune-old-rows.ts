import { pruneIdempotencyKeys } from '@aerie/http-api';
import { type Tx, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA } from './database.js';

/** Rows that are locked at once. */
const BATCH = 1_000;
/** The next sweep goes on. */
const MAX_BATCHES = 50;

/** Whoever waited for a list has it, or has gone. */
const pruneListings = (tx: Tx): Promise<number> =>
  tx.run(
    `DELETE FROM log.dock_call WHERE tid = ANY(ARRAY(
       SELECT tid FROM log.dock_call WHERE upload_id IS NULL AND claimed_at < now() - interval '1 hour' LIMIT $1))`,
    [BATCH],
  );

/** Deletes what nobody asks for any more; returns how many rows. */
export async function pruneOldRows(dataSource: DataSource): Promise<number> {
  let deleted = await pruneIdempotencyKeys(dataSource, SCHEMA);
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const count = await inTransaction(dataSource, pruneListings);
    deleted += count;
    if (count < BATCH) break;
  }
  return deleted;
}
