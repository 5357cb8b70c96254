import type { Logger } from '@aerie/observability';
import { DataSource } from 'typeorm';

const EVERY_MS = 10_000;

/** Messages that nobody asked for are kept for a month, then deleted in small batches. */
export function pruneKeptMessages(dataSource: DataSource, logger: Logger): () => void {
  const timer = setInterval(() => {
    dataSource
      .query(
        `DELETE FROM fleet.kept_message WHERE id = ANY(ARRAY(
           SELECT id FROM fleet.kept_message WHERE received_at < now() - interval '30 days' ORDER BY received_at LIMIT 5000))`,
      )
      .catch((error: unknown) => logger.warn({ err: error }, 'failed to delete old messages, trying again'));
  }, EVERY_MS);
  return () => clearInterval(timer);
}
