import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';

/** What nobody asks for any more, in batches that hold no lock for long. */
export function pruneOldRows(dataSource: DataSource): Promise<void> {
  return inTransaction(dataSource, async (tx) => {
    // Callers repeat within minutes.
    await tx.run(
      `DELETE FROM log.idempotency_key WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM log.idempotency_key WHERE created_at < now() - interval '7 days' LIMIT 1000))`,
    );
    // Whoever waited for a list has it, or has gone.
    await tx.run(
      `DELETE FROM log.dock_call WHERE tid = ANY(ARRAY(
         SELECT tid FROM log.dock_call WHERE upload_id IS NULL AND claimed_at < now() - interval '1 hour' LIMIT 1000))`,
    );
  });
}
