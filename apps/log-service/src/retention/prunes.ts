import { LEAST_IDEMPOTENCY_DAYS, idempotencyPrune } from '@aerie/http-api';
import { LEAST_INBOX_DAYS, type Prune, inboxAndOutboxPrunes } from '@aerie/persistence';
import { SCHEMA } from '../database.js';

const LISTINGS = 1_000;

/** Whoever waited for a list has it, or has gone. */
const listingPrune = (): Prune => ({
  name: 'listings',
  async batch(tx) {
    const deleted = await tx.run(
      `DELETE FROM log.dock_call WHERE tid = ANY(ARRAY(
         SELECT tid FROM log.dock_call WHERE upload_id IS NULL AND claimed_at < clock_timestamp() - interval '1 hour'
          ORDER BY claimed_at LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [LISTINGS],
    );
    return { rows: { dock_call: deleted }, more: deleted === LISTINGS };
  },
});

/** All that log-service deletes by age, beside the content of files. */
export const logPrunes = (): Prune[] => [
  ...inboxAndOutboxPrunes(SCHEMA, { inboxDays: LEAST_INBOX_DAYS, outboxDays: 7 }),
  idempotencyPrune(SCHEMA, LEAST_IDEMPOTENCY_DAYS),
  listingPrune(),
];
