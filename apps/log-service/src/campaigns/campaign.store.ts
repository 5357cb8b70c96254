// The statements of campaigns: lock, save, docks. Raw SQL, all in this file. Lock order: campaign, then its docks and
// uploads that are new; an upload that exists is never locked while a campaign is.
import type { Campaign, CampaignState, Ended, Hours, Selection, Tally, Threshold } from '@aerie/log-core';
import type { Tx } from '@aerie/persistence';

export interface CampaignRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly name: string;
  readonly state: CampaignState;
  readonly revision: number;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly selection: Selection;
  readonly docks_per_minute: number;
  readonly concurrent: number;
  readonly bytes_per_second: string | null;
  readonly hours: Hours | null;
  readonly threshold: Threshold;
  readonly forgiven: Ended;
  readonly next_start_at: Date;
  readonly until_at: Date | null;
  readonly next_action_at: Date | null;
  readonly cause: string | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns of a campaign, by name: a prepared statement must return the same ones after a migration. */
export const CAMPAIGN_COLUMNS = Object.keys({
  id: true,
  organisation_id: true,
  name: true,
  state: true,
  revision: true,
  filter: true,
  selection: true,
  docks_per_minute: true,
  concurrent: true,
  bytes_per_second: true,
  hours: true,
  threshold: true,
  forgiven: true,
  next_start_at: true,
  until_at: true,
  next_action_at: true,
  cause: true,
  created_by: true,
  created_at: true,
  updated_at: true,
} satisfies Record<keyof CampaignRow, true>).join(', ');

export interface LockedCampaign extends CampaignRow {
  readonly now: Date;
}

export const campaignOf = (row: CampaignRow): Campaign => ({
  state: row.state,
  pace: {
    docksPerMinute: row.docks_per_minute,
    concurrent: row.concurrent,
    bytesPerSecond: row.bytes_per_second === null ? null : Number(row.bytes_per_second),
  },
  hours: row.hours,
  threshold: row.threshold,
  forgiven: row.forgiven,
  nextStartMs: row.next_start_at.getTime(),
  untilMs: row.until_at?.getTime() ?? null,
});

/** Waits for whoever holds it. */
export function lockCampaign(tx: Tx, id: string): Promise<LockedCampaign | undefined> {
  return tx.one<LockedCampaign>(
    `SELECT ${CAMPAIGN_COLUMNS}, clock_timestamp() AS now FROM log.campaign WHERE id = $1 FOR UPDATE`,
    [id],
  );
}

export interface DueCampaign {
  readonly id: string;
  readonly state: CampaignState;
}

/**
 * Campaigns whose time has come: those that are overdue longest, and of them first those that nobody has to be asked
 * about, such as one that is called off. Reads only: the lock looks again.
 */
export function findDueCampaigns(through: { query: Tx['query'] }, limit: number): Promise<DueCampaign[]> {
  return through.query<DueCampaign>(
    `SELECT id, state FROM (
       SELECT id, state, next_action_at FROM log.campaign
        WHERE next_action_at <= clock_timestamp() ORDER BY next_action_at LIMIT $1) AS due
      ORDER BY state = 'running', next_action_at`,
    [limit],
  );
}

/** Locks a campaign if it is due and nobody else works on it. */
export function lockDueCampaign(tx: Tx, id: string): Promise<LockedCampaign | undefined> {
  return tx.one<LockedCampaign>(
    `SELECT ${CAMPAIGN_COLUMNS}, clock_timestamp() AS now FROM log.campaign
      WHERE id = $1 AND next_action_at <= clock_timestamp() FOR UPDATE SKIP LOCKED`,
    [id],
  );
}

export interface CampaignChange {
  readonly state: CampaignState;
  readonly cause: string | null;
  readonly nextStartMs: number;
  readonly nextActionAtMs: number | null;
}

export async function saveCampaign(tx: Tx, row: LockedCampaign, change: CampaignChange): Promise<void> {
  await tx.run(
    `UPDATE log.campaign SET state = $2, cause = $3, next_start_at = $4, next_action_at = $5, revision = revision + $6,
            updated_at = CASE WHEN $6 = 1 THEN clock_timestamp() ELSE updated_at END
      WHERE id = $1`,
    [
      ...[row.id, change.state, change.cause, new Date(Math.ceil(change.nextStartMs))],
      change.nextActionAtMs === null ? null : new Date(Math.ceil(change.nextActionAtMs)),
      change.state === row.state ? 0 : 1,
    ],
  );
}

export async function tallyOf(through: { query: Tx['query'] }, id: string): Promise<Tally> {
  const rows = await through.query<{ state: keyof Tally; count: string }>(
    'SELECT state, count(*) AS count FROM log.campaign_dock WHERE campaign_id = $1 GROUP BY state',
    [id],
  );
  const count = (state: string): number => Number(rows.find((row) => row.state === state)?.count ?? 0);
  const [speed] = await through.query<{ bytes_per_second: string | null }>(
    // What the docks have told of the phase in which they upload, over the time that it lasts.
    `SELECT sum(coalesce((f ->> 'expectedBytes')::numeric * (f #>> '{told,percent}')::numeric / 100, 0)
                / greatest(extract(epoch FROM clock_timestamp() - u.since), 1)) AS bytes_per_second
       FROM log.upload u CROSS JOIN LATERAL jsonb_array_elements(u.files) AS f
      WHERE u.campaign_id = $1 AND u.state = 'uploading'`,
    [id],
  );
  return {
    ...{ waiting: count('waiting'), running: count('running'), done: count('done'), failed: count('failed') },
    bytesPerSecond: Number(speed?.bytes_per_second ?? 0),
  };
}

/** Docks of a campaign whose turn it is; those that were away come after the others. */
export async function nextTurns(through: { query: Tx['query'] }, id: string, limit: number): Promise<string[]> {
  const rows = await through.query<{ dock_sn: string }>(
    `SELECT dock_sn FROM log.campaign_dock
      WHERE campaign_id = $1 AND state = 'waiting' AND not_before <= clock_timestamp()
      ORDER BY not_before, dock_sn LIMIT least((SELECT concurrent FROM log.campaign WHERE id = $1), $2)`,
    [id, limit],
  );
  return rows.map(({ dock_sn }) => dock_sn);
}

/** Those of these docks that still wait, in the given order. */
export async function stillWaiting(tx: Tx, id: string, sns: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ dock_sn: string }>(
    `SELECT dock_sn FROM log.campaign_dock WHERE campaign_id = $1 AND state = 'waiting' AND dock_sn = ANY($2::text[])`,
    [id, sns],
  );
  const waiting = new Set(rows.map(({ dock_sn }) => dock_sn));
  return sns.filter((sn) => waiting.has(sn));
}

/** Their turn comes again after a while. */
export async function putOff(tx: Tx, id: string, sns: readonly string[], byMs: number): Promise<void> {
  await tx.run(
    `UPDATE log.campaign_dock SET not_before = clock_timestamp() + $3 * interval '1 millisecond'
      WHERE campaign_id = $1 AND state = 'waiting' AND dock_sn = ANY($2::text[])`,
    [id, sns, byMs],
  );
}

/** What failed so far counts no more: somebody has looked, and wants it to go on. */
export async function forgive(tx: Tx, id: string, { done, failed }: Ended): Promise<void> {
  await tx.run('UPDATE log.campaign SET forgiven = $2 WHERE id = $1', [id, JSON.stringify({ done, failed })]);
}

export async function beginDock(tx: Tx, id: string, sn: string, uploadId: string): Promise<void> {
  await tx.run(
    `UPDATE log.campaign_dock SET state = 'running', upload_id = $3 WHERE campaign_id = $1 AND dock_sn = $2`,
    [id, sn, uploadId],
  );
}

export async function skipDocks(
  tx: Tx,
  id: string,
  cause: string,
  sns: readonly string[] | null = null,
): Promise<void> {
  await tx.run(
    `UPDATE log.campaign_dock SET state = 'skipped', cause = $2, ended_at = clock_timestamp()
      WHERE campaign_id = $1 AND state = 'waiting' AND ($3::text[] IS NULL OR dock_sn = ANY($3))`,
    [id, cause, sns],
  );
}

/** Whether any upload of a campaign is not over. */
export async function isAnyRunning(tx: Tx, id: string): Promise<boolean> {
  const row = await tx.one('SELECT 1 FROM log.upload WHERE campaign_id = $1 AND next_action_at IS NOT NULL LIMIT 1', [
    id,
  ]);
  return row !== undefined;
}

/** Uploads of a campaign that are not over, and that nobody has called off yet. */
export async function uploadsToCallOff(tx: Tx, id: string, limit: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM log.upload
      WHERE campaign_id = $1 AND next_action_at IS NOT NULL AND stop_for IS DISTINCT FROM 'operator' LIMIT $2`,
    [id, limit],
  );
  return rows.map((row) => row.id);
}

/** Looks at a campaign again a little later: it cannot be handled now. */
export async function putOffCampaign(tx: Tx, id: string, byMs: number): Promise<void> {
  await tx.run(
    `UPDATE log.campaign SET next_action_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE id = $1 AND next_action_at IS NOT NULL`,
    [id, byMs],
  );
}

/** Looks at a campaign now: one of its docks has ended. */
export async function wakeCampaign(tx: Tx, id: string): Promise<void> {
  await tx.run(
    `UPDATE log.campaign SET next_action_at = least(next_action_at, clock_timestamp())
      WHERE id = $1 AND next_action_at IS NOT NULL`,
    [id],
  );
}
