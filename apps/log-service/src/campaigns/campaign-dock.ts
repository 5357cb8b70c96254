import type { Tx } from '@aerie/persistence';
import type { LockedUpload } from '../uploads/store/upload.row.js';

/** A dock of a campaign has ended with its upload. The campaign itself looks at it after the commit. */
export async function endCampaignDock(tx: Tx, upload: LockedUpload): Promise<void> {
  if (upload.campaign_id === null) return;
  await tx.run(
    `UPDATE log.campaign_dock SET state = $3, cause = $4, ended_at = clock_timestamp()
      WHERE campaign_id = $1 AND upload_id = $2 AND state = 'running'`,
    [
      ...[upload.campaign_id, upload.id, STATE_OF[upload.state as keyof typeof STATE_OF] ?? 'failed'],
      upload.state === 'stored' ? null : (upload.cause_code ?? upload.state),
    ],
  );
}

/** A canceled one was left out by a person, and says nothing of the others. */
const STATE_OF = {
  stored: 'done',
  partly_stored: 'done',
  canceled: 'skipped',
} as const;
