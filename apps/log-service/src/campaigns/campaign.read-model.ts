import { type Page, type Position, toPage } from '@aerie/http-api';
import type { CampaignState, Tally } from '@aerie/log-core';
import type { ApiDatabase, OrganisationRows, Reach } from '@aerie/persistence';
import { cursorAfterDock, dockAtCursor } from './campaign.input.js';
import { type CampaignRow, tallyOf } from './campaign.store.js';
import { type CampaignView, campaignView } from './campaign.view.js';

interface DockRow {
  readonly dock_sn: string;
  readonly state: string;
  readonly upload_id: string | null;
  readonly cause: string | null;
  readonly ended_at: Date | null;
}

/** Campaigns for screens. */
export class CampaignReadModel {
  constructor(private readonly database: ApiDatabase) {}

  async find(reach: Reach, id: string): Promise<CampaignView | undefined> {
    const own = this.database.of(reach);
    const [row] = await own.query<CampaignRow>('SELECT * FROM log.campaign WHERE organisation_id = $1 AND id = $2', [
      ...[reach.organisationId, id],
    ]);
    return row && campaignView(row, await tallyWithSkipped(own, id));
  }

  async list(
    reach: Reach,
    state: CampaignState | undefined,
    limit: number,
    after: Position | null,
  ): Promise<Page<CampaignView>> {
    const own = this.database.of(reach);
    const rows = await own.query<CampaignRow & { position: string }>(
      `SELECT *, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM log.campaign
        WHERE organisation_id = $1 AND ($2::text IS NULL OR state = $2)
          AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $5`,
      [reach.organisationId, state ?? null, after?.createdAt ?? null, after?.id ?? null, limit + 1],
    );
    const tallies = new Map<string, Tally & { skipped: number }>();
    for (const { id } of rows) tallies.set(id, await tallyWithSkipped(own, id));
    const noTally = { waiting: 0, running: 0, done: 0, failed: 0, skipped: 0, bytesPerSecond: 0 };
    return toPage(
      rows,
      limit,
      ({ position, id }) => ({ createdAt: position, id }),
      (row) => campaignView(row, tallies.get(row.id) ?? noTally),
    );
  }

  /** The docks of a campaign, in the order of their serial numbers; undefined where there is no such campaign. */
  async docks(reach: Reach, id: string, { state, limit, cursor }: DockQuery) {
    const own = this.database.of(reach);
    const [campaign] = await own.query('SELECT 1 FROM log.campaign WHERE organisation_id = $1 AND id = $2', [
      ...[reach.organisationId, id],
    ]);
    if (campaign === undefined) return undefined;
    const rows = await own.query<DockRow>(
      `SELECT dock_sn, state, upload_id, cause, ended_at FROM log.campaign_dock
        WHERE campaign_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR dock_sn > $3)
        ORDER BY dock_sn LIMIT $4`,
      [id, state ?? null, (cursor && dockAtCursor(cursor)) ?? null, limit + 1],
    );
    const items = rows.slice(0, limit).map(({ dock_sn, upload_id, ended_at, ...row }) => ({
      dockSn: dock_sn,
      state: row.state,
      uploadId: upload_id,
      cause: row.cause,
      endedAt: ended_at?.toISOString() ?? null,
    }));
    const last = items.at(-1);
    return { items, nextCursor: rows.length > limit && last !== undefined ? cursorAfterDock(last.dockSn) : null };
  }
}

async function tallyWithSkipped(through: OrganisationRows, id: string): Promise<Tally & { skipped: number }> {
  const [row] = await through.query<{ count: string }>(
    `SELECT count(*) AS count FROM log.campaign_dock WHERE campaign_id = $1 AND state = 'skipped'`,
    [id],
  );
  return { ...(await tallyOf(through, id)), skipped: Number(row?.count ?? 0) };
}

export interface DockQuery {
  readonly state?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}
