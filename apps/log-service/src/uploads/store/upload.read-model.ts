import { type Page, type Position, toPage } from '@aerie/http-api';
import type { UploadState } from '@aerie/log-core';
import { type ApiDatabase, type Reach, amongDocks, reachesDock } from '@aerie/persistence';
import type { UploadRow } from './upload.row.js';
import { type UploadView, causeView, viewOf } from './upload.view.js';

export interface UploadFilter {
  readonly dockSn?: string | undefined;
  readonly state?: readonly UploadState[] | undefined;
  readonly missionId?: string | undefined;
  readonly campaignId?: string | undefined;
}

/** Entries that one answer holds, the latest: an export tells something each two seconds, for hours. */
const TIMELINE_LIMIT = 10_000;

/** Uploads for screens. Reads only; every change goes through `advance`. */
export class UploadReadModel {
  constructor(private readonly database: ApiDatabase) {}

  async find(reach: Reach, id: string) {
    const [row] = await this.database
      .of(reach)
      .query<UploadRow>('SELECT * FROM log.upload WHERE organisation_id = $1 AND id = $2', [
        ...[reach.organisationId, id],
      ]);
    if (row === undefined || !reachesDock(reach, row.dock_sn)) return undefined;
    const attempts = await this.database
      .of(reach)
      .query<AttemptRow>(
        `SELECT number, started_at, ended_at, ended_cause, ended_result FROM log.attempt WHERE upload_id = $1 ORDER BY number`,
        [id],
      );
    const files = await this.database
      .of(reach)
      .query<{ id: string }>('SELECT id FROM log.file WHERE upload_id = $1 ORDER BY module', [id]);
    return { ...viewOf(row), attempts: attempts.map(attemptView), fileIds: files.map((file) => file.id) };
  }

  async list(reach: Reach, filter: UploadFilter, limit: number, after: Position | null): Promise<Page<UploadView>> {
    const rows = await this.database.of(reach).query<UploadRow & { position: string }>(
      `SELECT *, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM log.upload
        WHERE organisation_id = $1
          AND ${amongDocks('$9')} AND ($2::text IS NULL OR dock_sn = $2) AND ($3::text[] IS NULL OR state = ANY($3))
          AND ($4::uuid IS NULL OR attached_to = $4) AND ($5::uuid IS NULL OR campaign_id = $5)
          AND ($6::timestamptz IS NULL OR (created_at, id) < ($6::timestamptz, $7::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $8`,
      [
        ...[reach.organisationId, filter.dockSn ?? null, filter.state ?? null, filter.missionId ?? null],
        ...[filter.campaignId ?? null, after?.createdAt ?? null, after?.id ?? null, limit + 1, reach.dockSns],
      ],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  /** What happened, oldest first, and when retention deleted it; read in this order, so that nothing is missing unsaid. */
  async timeline(reach: Reach, id: string) {
    const rows = await this.database.of(reach).query<TimelineRow>(
      `SELECT * FROM (
         SELECT t.id, t.at, t.kind, t.what, t.from_state, t.to_state, t.revision, t.detail
           FROM log.timeline t JOIN log.upload u ON u.id = t.upload_id
          WHERE u.organisation_id = $1 AND u.id = $2 ORDER BY t.id DESC LIMIT $3) AS latest
        ORDER BY id`,
      [reach.organisationId, id, TIMELINE_LIMIT],
    );
    const [upload] = await this.database
      .of(reach)
      .query<{ detail_pruned_at: Date | null; dock_sn: string }>(
        'SELECT detail_pruned_at, dock_sn FROM log.upload WHERE organisation_id = $1 AND id = $2',
        [reach.organisationId, id],
      );
    if (upload === undefined || !reachesDock(reach, upload.dock_sn)) return undefined;
    return { items: rows.map(timelineView), prunedAt: upload.detail_pruned_at?.toISOString() ?? null };
  }
}

interface AttemptRow {
  readonly number: number;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly ended_cause: string | null;
  readonly ended_result: number | null;
}

const attemptView = ({ number, started_at, ended_at, ended_cause, ended_result }: AttemptRow) => ({
  number,
  startedAt: started_at.toISOString(),
  endedAt: ended_at?.toISOString() ?? null,
  cause: causeView(
    ended_cause === null
      ? null
      : { code: ended_cause as never, ...(ended_result === null ? {} : { dockResult: ended_result }) },
  ),
});

interface TimelineRow {
  readonly at: Date;
  readonly kind: string;
  readonly what: string;
  readonly from_state: string | null;
  readonly to_state: string | null;
  readonly revision: number | null;
  readonly detail: unknown;
}

const timelineView = ({ at, kind, what, from_state, to_state, revision, detail }: TimelineRow) => ({
  at: at.toISOString(),
  kind,
  what,
  from: from_state,
  to: to_state,
  version: revision,
  detail,
});
