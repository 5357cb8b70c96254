import type { DockModel, DockRecord } from '@aerie/bus-contract';
import { type ApiDatabase, type DatabaseOf, type Reach, amongDocks, reachesDock, rowsOfAll } from '@aerie/persistence';
import { MAX_MOVES, type MoveReason } from './aircraft-moves.js';
import { type PositionColumns, positionOf } from './dock-positions.js';
import { reportedModelOf } from './dock/model-keys.js';

export interface DockRow extends PositionColumns {
  readonly sn: string;
  readonly organisation_id: string;
  readonly model: DockModel;
  readonly protocol_generation: string;
  readonly name: string;
  readonly site_id: string | null;
  readonly aircraft_sn: string | null;
  readonly aircraft_online: boolean | null;
  readonly aircraft_model_key: string | null;
  readonly reported_model_key: string | null;
  readonly bound_model_key: string | null;
  readonly bound_at: Date | null;
  readonly topology_at: Date | null;
  readonly retired_at: Date | null;
  readonly created_at: Date;
  /** Sort key with all its digits; a Date keeps only milliseconds. */
  readonly position: string;
}

/** A dock as it is shown, with its cut-off where it has one. */
export interface ShownDockRow extends DockRow {
  readonly cut_off_since: Date | null;
  readonly cut_off_until: Date | null;
  readonly cut_off_reason: string | null;
  readonly open_alarms: number;
  readonly worst_alarm: number | null;
}

export interface AircraftRow {
  readonly sn: string;
  readonly online: boolean;
  readonly model_key: string | null;
  readonly updated_at: Date;
}

export interface MoveRow {
  readonly aircraft_sn: string;
  readonly from_dock_sn: string | null;
  readonly to_dock_sn: string | null;
  readonly reason: MoveReason;
  readonly moved_at: Date;
}

/** Which page of the docks in service is listed, or of those that were retired. */
export interface DockFilter {
  readonly limit: number;
  readonly after: { readonly createdAt: string; readonly sn: string } | null;
  readonly retired: boolean;
  readonly siteId?: string | undefined;
}

/** Which docks are looked for; what is not named does not matter. */
export interface DockSearch {
  readonly organisationId: string;
  readonly sns?: readonly string[] | undefined;
  readonly models?: readonly DockModel[] | undefined;
  readonly nameContains?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

const COLUMNS = `d.sn, d.organisation_id, d.model, d.protocol_generation, d.name, d.site_id, d.bound_at, d.topology_at, d.retired_at, d.created_at,
  d.latitude, d.longitude, d.position_source, d.position_set_at,
  d.reported_model_key, d.bound_model_key,
  to_char(d.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position,
  a.sn AS aircraft_sn, a.online AS aircraft_online,
  coalesce(a.model_key, CASE WHEN coalesce(a.sn, d.bound_aircraft_sn) = d.bound_aircraft_sn THEN d.bound_aircraft_model_key END)
    AS aircraft_model_key`;
/** The aircraft that is there, else the one that was there last. */
const WITH_AIRCRAFT = `LEFT JOIN LATERAL (
  SELECT sn, online, model_key FROM fleet.aircraft WHERE dock_sn = d.sn ORDER BY online DESC, updated_at DESC LIMIT 1) a ON true`;

const SHOWN_COLUMNS = `${COLUMNS}, c.since AS cut_off_since, c.until AS cut_off_until, c.reason AS cut_off_reason,
  al.open_alarms, al.worst_alarm`;
const WITH_CUT_OFF = `LEFT JOIN fleet.cut_off c
  ON c.dock_sn = d.sn AND c.closed_at IS NULL AND c.since IS NOT NULL AND c.ended_at IS NULL`;
/** Those of its aircraft too. */
const WITH_ALARMS = `CROSS JOIN LATERAL (
  SELECT count(*)::int AS open_alarms, max(level)::float8 AS worst_alarm FROM fleet.alarm
   WHERE dock_sn = d.sn AND closed_at IS NULL) al`;

/** Reads docks for screens. */
export class DockStore {
  constructor(private readonly database: ApiDatabase) {}

  async find(reach: Reach, sn: string): Promise<ShownDockRow | undefined> {
    if (!reachesDock(reach, sn)) return undefined;
    const rows = await this.database.of(reach).query<ShownDockRow>(
      `SELECT ${SHOWN_COLUMNS} FROM fleet.dock d ${WITH_AIRCRAFT} ${WITH_CUT_OFF} ${WITH_ALARMS}
        WHERE d.organisation_id = $1 AND d.sn = $2 AND d.provisioned_at IS NOT NULL`,
      [reach.organisationId, sn],
    );
    return rows[0];
  }

  /** Newest first; one more than `limit` where there are more. Those in service, or those that were retired. */
  list(reach: Reach, { limit, after, retired, siteId }: DockFilter): Promise<ShownDockRow[]> {
    return this.database.of(reach).query<ShownDockRow>(
      `SELECT ${SHOWN_COLUMNS} FROM fleet.dock d ${WITH_AIRCRAFT} ${WITH_CUT_OFF} ${WITH_ALARMS}
        WHERE d.organisation_id = $1 AND d.provisioned_at IS NOT NULL AND (d.retired_at IS NOT NULL) = $5
          AND ${amongDocks('$7', 'd.sn')} AND ($6::uuid IS NULL OR d.site_id = $6)
          AND ($2::timestamptz IS NULL OR (d.created_at, d.sn) < ($2::timestamptz, $3::text))
        ORDER BY d.created_at DESC, d.sn DESC LIMIT $4`,
      [
        reach.organisationId,
        after?.createdAt ?? null,
        after?.sn ?? null,
        limit + 1,
        retired,
        siteId ?? null,
        reach.dockSns,
      ],
    );
  }

  /** The aircraft of a dock, the present ones first, and the latest that came and went. */
  async aircraftOf(
    reach: Reach,
    dockSn: string,
  ): Promise<{ readonly aircraft: AircraftRow[]; readonly moves: MoveRow[] }> {
    const own = this.database.of(reach);
    const [aircraft, moves] = await Promise.all([
      own.query<AircraftRow>(
        `SELECT sn, online, model_key, updated_at FROM fleet.aircraft WHERE dock_sn = $1
          ORDER BY online DESC, updated_at DESC, sn`,
        [dockSn],
      ),
      own.query<MoveRow>(
        `SELECT aircraft_sn, from_dock_sn, to_dock_sn, reason, moved_at FROM fleet.aircraft_move
          WHERE from_dock_sn = $1 OR to_dock_sn = $1 ORDER BY id DESC LIMIT $2`,
        [dockSn, MAX_MOVES],
      ),
    ]);
    return { aircraft, moves };
  }
}

/** The same for those who ask about docks of any organisation: docks themselves, and other services. */
export class DocksOfAll {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /**
   * The dock that speaks under this serial number: itself, or the one that had this aircraft last. What an aircraft
   * tells after its dock reported it gone, such as the end of a flight, is still its dock's word.
   */
  async speakerFor(sn: string): Promise<DockRecord | null> {
    const rows = await this.dataSource.query<DockRow[]>(
      `SELECT ${COLUMNS} FROM fleet.dock d ${WITH_AIRCRAFT}
        WHERE d.provisioned_at IS NOT NULL AND d.retired_at IS NULL
          AND (d.sn = $1 OR d.sn = (SELECT dock_sn FROM fleet.aircraft WHERE sn = $1))`,
      [sn],
    );
    const row = rows[0];
    return row === undefined ? null : recordOf(row);
  }

  /** Those of these docks that are ours, each by its own serial number. */
  async records(sns: readonly string[]): Promise<readonly DockRecord[]> {
    const rows = await rowsOfAll(this.dataSource).queryByKeys<DockRow>(
      `SELECT ${COLUMNS} FROM fleet.dock d ${WITH_AIRCRAFT}
        WHERE d.provisioned_at IS NOT NULL AND d.retired_at IS NULL AND d.sn = ANY($1::text[])`,
      [sns],
    );
    return rows.map(recordOf);
  }

  /** Docks of an organisation by what they are, in the order of their serial numbers. */
  async search(search: DockSearch): Promise<readonly DockRecord[]> {
    const { organisationId, sns = null, models = null, nameContains = null, after = null, limit } = search;
    const rows = await this.dataSource.query<DockRow[]>(
      `SELECT ${COLUMNS} FROM fleet.dock d ${WITH_AIRCRAFT}
        WHERE d.organisation_id = $1 AND d.provisioned_at IS NOT NULL AND d.retired_at IS NULL
          AND ($2::text[] IS NULL OR d.sn = ANY($2)) AND ($3::text[] IS NULL OR d.model = ANY($3))
          AND ($4::text IS NULL OR strpos(lower(d.name), lower($4)) > 0) AND ($5::text IS NULL OR d.sn > $5)
        ORDER BY d.sn LIMIT $6`,
      [organisationId, sns, models, nameContains, after, limit],
    );
    return rows.map(recordOf);
  }

  /** The aircraft that a dock speaks for. */
  async aircraftOf(dockSn: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ sn: string }[]>(
      'SELECT sn FROM fleet.aircraft WHERE dock_sn = $1 ORDER BY sn',
      [dockSn],
    );
    return rows.map(({ sn }) => sn);
  }

  /** As `speakerFor`, for many at once: the dock's serial number for each that has one. */
  async speakersFor(sns: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await rowsOfAll(this.dataSource).queryByKeys<{ sn: string; dock_sn: string }>(
      `SELECT a.sn, a.dock_sn FROM fleet.aircraft a JOIN fleet.dock d ON d.sn = a.dock_sn
        WHERE a.sn = ANY($1::text[]) AND d.provisioned_at IS NOT NULL AND d.retired_at IS NULL
       UNION ALL
       SELECT sn, sn FROM fleet.dock WHERE sn = ANY($1::text[]) AND provisioned_at IS NOT NULL AND retired_at IS NULL`,
      [sns],
    );
    return new Map(rows.map(({ sn, dock_sn }) => [sn, dock_sn]));
  }
}

function recordOf(row: DockRow): DockRecord {
  return {
    sn: row.sn,
    organisationId: row.organisation_id,
    model: row.model,
    protocolGeneration: row.protocol_generation,
    name: row.name,
    aircraftSn: row.aircraft_sn,
    position: positionOf(row),
    aircraftModelKey: row.aircraft_model_key,
    reportedModel: reportedModelOf(row),
  };
}
