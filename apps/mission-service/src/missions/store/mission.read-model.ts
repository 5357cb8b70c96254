import { type Page, type Position, toPage } from '@aerie/http-api';
import { DataSource } from 'typeorm';
import type { MissionRow } from './mission.row.js';
import { type MissionView, viewOf } from './mission.view.js';

export interface TimelineView {
  readonly at: string;
  readonly kind: string;
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly version: number | null;
  readonly detail: unknown;
}

interface TimelineRow {
  readonly at: Date;
  readonly kind: string;
  readonly what: string;
  readonly from_state: string | null;
  readonly to_state: string | null;
  readonly revision: number | null;
  readonly detail: unknown;
}

/** The longest timeline that one answer holds: five hours of progress every two seconds, two entries each. */
const TIMELINE_LIMIT = 20_000;

/** Missions for screens. Reads only; every change goes through AdvanceMission. */
export class MissionReadModel {
  constructor(private readonly dataSource: DataSource) {}

  async find(organisationId: string, id: string): Promise<MissionView | undefined> {
    const rows = await this.dataSource.query<MissionRow[]>(
      'SELECT * FROM mission.mission WHERE organisation_id = $1 AND id = $2',
      [organisationId, id],
    );
    return rows[0] && viewOf(rows[0]);
  }

  async list(
    organisationId: string,
    filter: { readonly dockSn: string | undefined; readonly state: string | undefined },
    limit: number,
    after: Position | null,
  ): Promise<Page<MissionView>> {
    const rows = await this.dataSource.query<(MissionRow & { position: string })[]>(
      `SELECT *, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM mission.mission
        WHERE organisation_id = $1
          AND ($2::text IS NULL OR dock_sn = $2) AND ($3::text IS NULL OR state = $3)
          AND ($4::timestamptz IS NULL OR (created_at, id) < ($4::timestamptz, $5::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $6`,
      [
        organisationId,
        filter.dockSn ?? null,
        filter.state ?? null,
        after?.createdAt ?? null,
        after?.id ?? null,
        limit + 1,
      ],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  async timeline(organisationId: string, id: string): Promise<TimelineView[] | undefined> {
    if ((await this.find(organisationId, id)) === undefined) return undefined;
    const rows = await this.dataSource.query<TimelineRow[]>(
      `SELECT at, kind, what, from_state, to_state, revision, detail FROM mission.timeline
        WHERE mission_id = $1 ORDER BY id LIMIT $2`,
      [id, TIMELINE_LIMIT],
    );
    return rows.map((row) => ({
      at: row.at.toISOString(),
      kind: row.kind,
      what: row.what,
      from: row.from_state,
      to: row.to_state,
      version: row.revision,
      detail: row.detail,
    }));
  }
}
