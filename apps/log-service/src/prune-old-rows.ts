import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';

/** What nobody asks for any more. */
const OLD_ROWS = [
  // Callers repeat within minutes.
  `DELETE FROM log.idempotency_key WHERE ctid = ANY(ARRAY(
     SELECT ctid FROM log.idempotency_key WHERE created_at < now() - interval '7 days' LIMIT $1))`,
  // Whoever waited for a list has it, or has gone.
  `DELETE FROM log.dock_call WHERE tid = ANY(ARRAY(
     SELECT tid FROM log.dock_call WHERE upload_id IS NULL AND claimed_at < now() - interval '1 hour' LIMIT $1))`,
];

/** Rows that are locked at once. */
const BATCH = 1_000;
/** The next sweep goes on. */
const MAX_BATCHES = 50;

/** Deletes old rows; returns how many. */
export async function pruneOldRows(dataSource: DataSource): Promise<number> {
  let deleted = 0;
  for (const sql of OLD_ROWS) {
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const count = await inTransaction(dataSource, (tx) => tx.run(sql, [BATCH]));
      deleted += count;
      if (count < BATCH) break;
    }
  }
  return deleted;
}
