import { type TimelineEntry as Entry, Timeline, type Tx } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';

/** One thing that happened to an upload. */
export interface TimelineEntry extends Entry {
  readonly uploadId: string;
}

/**
 * Messages of its dock in the timeline of an upload: twenty attempts with each tenth of both archives. A dock may say more,
 * without end; of that only what moves the upload is written.
 */
export const MESSAGES_LIMIT = 500;

const TIMELINE = new Timeline(SCHEMA, 'upload_id');

/** Writes entries in the order in which they are given. */
export const writeTimeline = (tx: Tx, entries: readonly TimelineEntry[]): Promise<void> =>
  TIMELINE.write(
    tx,
    entries.map((entry) => TIMELINE.row(entry.uploadId, entry)),
  );

/** Writes a message of a dock that moves nothing, and what was made of it, while there is room. The upload is locked. */
export async function writeMessage(
  tx: Tx,
  received: TimelineEntry,
  ...others: readonly TimelineEntry[]
): Promise<void> {
  const { uploadId } = received;
  const isFull = await tx.one(
    `SELECT 1 FROM log.timeline WHERE upload_id = $1 AND kind = 'message_in' OFFSET $2 LIMIT 1`,
    [uploadId, MESSAGES_LIMIT - 1],
  );
  if (isFull === undefined) return writeTimeline(tx, [received, ...others]);
  await tx.run(
    `INSERT INTO log.timeline (upload_id, kind, what, detail)
     SELECT $1, 'note', 'messagesLeftOut', $2
      WHERE NOT EXISTS (SELECT 1 FROM log.timeline WHERE upload_id = $1 AND what = 'messagesLeftOut')`,
    [uploadId, JSON.stringify({ after: MESSAGES_LIMIT })],
  );
}
