import { type Hours, type Tally, isCampaignOver } from '@aerie/log-core';
import { selectionView } from '../uploads/store/upload.view.js';
import type { CampaignRow } from './campaign.store.js';

export type CampaignView = ReturnType<typeof campaignView>;

/** A campaign as the API shows it. */
export function campaignView(row: CampaignRow, tally: Tally & { readonly skipped?: number }) {
  const { window, latest } = selectionView(row.selection);
  const { waiting, running, done, failed, skipped = 0 } = tally;
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    version: row.revision,
    cause: row.cause,
    final: isCampaignOver(row.state) && row.state !== 'stopped',
    filter: row.filter,
    logs: { window, latest },
    docksPerMinute: row.docks_per_minute,
    concurrent: row.concurrent,
    maxMegabitsPerSecond: row.bytes_per_second === null ? null : Number(row.bytes_per_second) / 125_000,
    hours: row.hours === null ? null : hoursView(row.hours),
    until: row.until_at?.toISOString() ?? null,
    stopAtFailedPercent: row.threshold.failedPercent,
    stopNotBeforeDocks: row.threshold.afterDocks,
    progress: {
      docks: waiting + running + done + failed + skipped,
      ...{ waiting, running, done, failed, skipped },
      megabitsPerSecond: Math.round(tally.bytesPerSecond / 1_250) / 100,
    },
    nextActionAt: row.next_action_at?.toISOString() ?? null,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function hoursView({ fromMinute, untilMinute }: Hours) {
  const clock = (minute: number): string =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return { from: clock(fromMinute), until: clock(untilMinute) };
}
