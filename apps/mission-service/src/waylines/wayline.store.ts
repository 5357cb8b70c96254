import { type Page, type Position, toPage } from '@aerie/http-api';
import type { ApiDatabase } from '@aerie/persistence';
import type { RcLost } from '../missions/store/mission.row.js';

export interface WaylineRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly name: string;
  readonly sha256: string;
  readonly md5: string;
  readonly size_bytes: number;
  readonly object_key: string;
  readonly exit_on_rc_lost: RcLost;
  readonly aircraft_model_key: string;
  readonly names_sub_type: boolean;
  /** Null: an earlier release stored it. */
  readonly payload_model_keys: readonly string[] | null;
  readonly planned_duration_ms: number;
  readonly summary: unknown;
  readonly warnings: unknown;
  readonly route: unknown;
  readonly created_at: Date;
  /** Null: it can be planned. */
  readonly archived_at: Date | null;
}

type NewWayline = Omit<WaylineRow, 'created_at' | 'archived_at'>;

const LISTED = `id, organisation_id, name, sha256, md5, size_bytes, object_key, exit_on_rc_lost, aircraft_model_key,
  names_sub_type, payload_model_keys, planned_duration_ms, summary, warnings, created_at, archived_at`;

/** Stored routes. The route of a row is never changed, only its name and whether it is archived. */
export class WaylineStore {
  constructor(private readonly database: ApiDatabase) {}

  /** The stored wayline; the earlier one where the organisation has these bytes already, which can be planned again then. */
  async add(wayline: NewWayline): Promise<{ readonly row: WaylineRow; readonly isNew: boolean }> {
    const own = this.database.of(wayline.organisation_id);
    const inserted = await own.query<WaylineRow>(
      `INSERT INTO mission.wayline (id, organisation_id, name, sha256, md5, size_bytes, object_key, exit_on_rc_lost,
         aircraft_model_key, planned_duration_ms, summary, warnings, route, names_sub_type, payload_model_keys)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12::jsonb, $13::jsonb, $14, $15::jsonb)
       ON CONFLICT (organisation_id, sha256) DO NOTHING RETURNING *`,
      [
        wayline.id,
        wayline.organisation_id,
        wayline.name,
        wayline.sha256,
        wayline.md5,
        wayline.size_bytes,
        wayline.object_key,
        wayline.exit_on_rc_lost,
        wayline.aircraft_model_key,
        wayline.planned_duration_ms,
        JSON.stringify(wayline.summary),
        JSON.stringify(wayline.warnings),
        JSON.stringify(wayline.route),
        wayline.names_sub_type,
        JSON.stringify(wayline.payload_model_keys),
      ],
    );
    if (inserted[0] !== undefined) return { row: inserted[0], isNew: true };
    const [row] = await own.query<WaylineRow>(
      `WITH reopened AS (
         UPDATE mission.wayline SET archived_at = NULL WHERE organisation_id = $1 AND sha256 = $2 RETURNING *)
       SELECT * FROM reopened`,
      [wayline.organisation_id, wayline.sha256],
    );
    if (row === undefined) throw new Error('a wayline that exists was not found');
    return { row, isNew: false };
  }

  async find(organisationId: string, id: string): Promise<WaylineRow | undefined> {
    const [row] = await this.database
      .of(organisationId)
      .query<WaylineRow>('SELECT * FROM mission.wayline WHERE organisation_id = $1 AND id = $2', [organisationId, id]);
    return row;
  }

  /** Renames it, archives it, or takes it back out. The same again changes nothing. */
  async change(
    organisationId: string,
    id: string,
    { name, archived }: { readonly name?: string | undefined; readonly archived?: boolean | undefined },
  ): Promise<WaylineRow | undefined> {
    const [row] = await this.database.of(organisationId).query<WaylineRow>(
      `WITH changed AS (
         UPDATE mission.wayline
            SET name = coalesce($3, name),
                archived_at = CASE $4::boolean WHEN true THEN coalesce(archived_at, clock_timestamp())
                                               WHEN false THEN NULL ELSE archived_at END
          WHERE organisation_id = $1 AND id = $2 RETURNING *)
       SELECT * FROM changed`,
      [organisationId, id, name ?? null, archived ?? null],
    );
    return row;
  }

  async list<View>(
    organisationId: string,
    { limit, after, archived }: { limit: number; after: Position | null; archived: boolean },
    view: (row: WaylineRow) => View,
  ): Promise<Page<View>> {
    const rows = await this.database.of(organisationId).query<WaylineRow & { position: string }>(
      `SELECT ${LISTED}, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM mission.wayline
        WHERE organisation_id = $1 AND (archived_at IS NOT NULL) = $5
          AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $4`,
      [organisationId, after?.createdAt ?? null, after?.id ?? null, limit + 1, archived],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), view);
  }
}
