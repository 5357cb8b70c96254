import { auditPrune, idempotencyPrune } from '@aerie/http-api';
import { type Prune, type PrunedBatch, type Tx, inboxAndOutboxPrunes } from '@aerie/persistence';
import type { Config } from '../config.js';
import { SCHEMA } from '../database.js';
import { LEAST_DETAIL_DAYS } from './least-days.js';

const LISTINGS = 1_000;
/** Uploads of one transaction, and rows of each table. */
const UPLOADS = 20;
const ROWS = 2_000;

type Days = Pick<
  Config,
  'LOG_AUDIT_MONTHS' | 'LOG_DETAIL_DAYS' | 'LOG_IDEMPOTENCY_DAYS' | 'LOG_INBOX_DAYS' | 'LOG_OUTBOX_DAYS'
>;

/** All that log-service deletes by age, beside the content of files. */
export const logPrunes = (days: Days): Prune[] => [
  ...inboxAndOutboxPrunes(SCHEMA, { inboxDays: days.LOG_INBOX_DAYS, outboxDays: days.LOG_OUTBOX_DAYS }),
  idempotencyPrune(SCHEMA, days.LOG_IDEMPOTENCY_DAYS),
  auditPrune(SCHEMA, days.LOG_AUDIT_MONTHS),
  listingPrune(),
  uploadDetailPrune(days.LOG_DETAIL_DAYS),
];

/** Whoever waited for a list has it, or has gone. */
const listingPrune = (): Prune => ({
  name: 'listings',
  async batch(tx) {
    const deleted = await tx.run(
      `DELETE FROM log.dock_call WHERE tid = ANY(ARRAY(
         SELECT tid FROM log.dock_call WHERE upload_id IS NULL AND claimed_at < now() - interval '1 hour'
          ORDER BY claimed_at LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [LISTINGS],
    );
    return { rows: { dock_call: deleted }, more: deleted === LISTINGS };
  },
});

/**
 * Deletes the timeline and the commands of uploads that ended `days` days ago. The upload stays, with its attempts and
 * files, and says so. Never of one that has not ended, or whose dock was not given back.
 */
export function uploadDetailPrune(days: number, sizes = { uploads: UPLOADS, rows: ROWS }): Prune {
  if (days < LEAST_DETAIL_DAYS) {
    throw new RangeError(`detail of uploads is kept for ${LEAST_DETAIL_DAYS} days at least, not for ${days}`);
  }
  return { name: 'detail of ended uploads', batch: (tx) => pruneDetail(tx, days, sizes) };
}

async function pruneDetail(tx: Tx, days: number, sizes: { uploads: number; rows: number }): Promise<PrunedBatch> {
  const uploads = await tx.query<{ id: string }>(
    `SELECT u.id FROM log.upload u
      WHERE u.next_action_at IS NULL AND u.detail_kept
        AND u.since < now() - make_interval(days => $1)
        AND u.updated_at < now() - make_interval(days => $1)
        AND NOT EXISTS (SELECT 1 FROM log.dock_hold h WHERE h.upload_id = u.id)
      ORDER BY u.since LIMIT $2 FOR NO KEY UPDATE OF u SKIP LOCKED`,
    [days, sizes.uploads],
  );
  if (uploads.length === 0) return { rows: {}, more: false };
  const ids = uploads.map(({ id }) => id);
  const [timeline, dockCall] = await Promise.all([
    tx.run(
      `DELETE FROM log.timeline WHERE id = ANY(ARRAY(
         SELECT id FROM log.timeline WHERE upload_id = ANY($1::uuid[]) LIMIT $2))`,
      [ids, sizes.rows],
    ),
    tx.run(
      `DELETE FROM log.dock_call WHERE tid = ANY(ARRAY(
         SELECT tid FROM log.dock_call WHERE upload_id = ANY($1::uuid[]) LIMIT $2))`,
      [ids, sizes.rows],
    ),
  ]);
  const isDone = timeline < sizes.rows && dockCall < sizes.rows;
  await tx.run(
    `UPDATE log.upload SET detail_pruned_at = coalesce(detail_pruned_at, clock_timestamp()), detail_kept = $2
      WHERE id = ANY($1::uuid[])`,
    [ids, !isDone],
  );
  return { rows: { timeline, dock_call: dockCall }, more: !isDone || uploads.length === sizes.uploads };
}
