import type { DockRecord, DockStateView } from '@aerie/bus-contract';
import { AskTogether } from '@aerie/kernel';
import { type ApiDatabase, type OrganisationRows, wholeOf } from '@aerie/persistence';
import { namedFlightToldAt } from '../store/flight-live.js';
import type { ObserveDock } from '../downlink/observe-dock.js';
import { type UnresolvedMission, unresolvedOn } from '../store/flight-critical.js';
import type { WaylineFacts } from './new-mission.js';

export interface PlannedWayline extends WaylineFacts {
  readonly organisation_id: string;
  readonly archived_at: Date | null;
  /** The database's clock as it was read. */
  readonly now: Date;
}

/** What this service itself knows of a dock. */
export interface DockHere {
  readonly heardAgoMs: number | null;
  readonly unresolved: UnresolvedMission | null;
  readonly exportsLogs: boolean;
  readonly cutOff: boolean;
}

const NOT_HERE: DockHere = { heardAgoMs: null, unresolved: null, exportsLogs: false, cutOff: false };

/**
 * What planning asks of others. All who plan at the same time ask with one question or statement; nothing is remembered,
 * so each answer is as fresh as one that was asked for alone.
 */
export class LookUp {
  private readonly records: AskTogether<DockRecord>;
  private readonly views: AskTogether<DockStateView>;
  private readonly docks: AskTogether<DockHere>;
  private readonly waylines: AskTogether<PlannedWayline>;

  constructor(
    private readonly database: ApiDatabase,
    observeDock: ObserveDock,
  ) {
    this.records = new AskTogether(async (sns) => {
      const records = await observeDock.records(sns);
      return new Map([...records].flatMap(([sn, record]) => (record === null ? [] : [[sn, record]])));
    });
    this.views = new AskTogether((sns) => observeDock.look(sns));
    this.docks = this.askTogether(readDocks);
    this.waylines = this.askTogether(readWaylines);
  }

  /** Null: no dock in service has this serial number. Rejects when nobody answers. */
  record(sn: string): Promise<DockRecord | null> {
    return this.records.find(sn);
  }

  /** What a dock shows now; undefined: nobody could say. */
  async view(sn: string): Promise<DockStateView | undefined> {
    return (await this.views.find(sn).catch(() => null)) ?? undefined;
  }

  /** Of a dock that whoever plans was found to reach: those who reach others ask with the same statement. */
  async dock(organisationId: string, sn: string): Promise<DockHere> {
    return (await this.docks.find(placeOf(organisationId, sn))) ?? NOT_HERE;
  }

  async wayline(organisationId: string, id: string): Promise<PlannedWayline | null> {
    // As the database writes ids: a caller may use capital letters.
    const wayline = await this.waylines.find(placeOf(organisationId, id.toLowerCase()));
    return wayline?.organisation_id === organisationId ? wayline : null;
  }

  /** Those of one organisation share a question. */
  private askTogether<Value>(
    read: (own: OrganisationRows, keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
  ): AskTogether<Value> {
    return new AskTogether(async (places) => {
      const organisationId = organisationOf(places[0] ?? '');
      const found = await read(this.database.of(wholeOf(organisationId)), places.map(keyOf));
      return new Map([...found].map(([key, value]) => [placeOf(organisationId, key), value]));
    }, organisationOf);
  }
}

const placeOf = (organisationId: string, key: string): string => `${organisationId} ${key}`;
const organisationOf = (place: string): string => place.slice(0, place.indexOf(' '));
const keyOf = (place: string): string => place.slice(place.indexOf(' ') + 1);

async function readDocks(own: OrganisationRows, sns: readonly string[]): Promise<ReadonlyMap<string, DockHere>> {
  const rows = await own.queryByKeys<{
    sn: string;
    heard_ago_ms: string | null;
    unresolved: UnresolvedMission | null;
    exports_logs: boolean;
    cut_off: boolean;
  }>(
    `SELECT d.sn, extract(epoch FROM clock_timestamp() - greatest(d.heard_at, ${namedFlightToldAt('d')})) * 1000 AS heard_ago_ms,
              ${unresolvedOn('d.sn')} AS unresolved,
              EXISTS (SELECT 1 FROM mission.dock_reservation r WHERE r.dock_sn = d.sn
                         AND r.holder_kind = 'log_upload' AND r.during @> clock_timestamp()) AS exports_logs,
              d.cut_off_until IS NOT NULL AND d.cut_off_until > clock_timestamp() AS cut_off
         FROM mission.dock d WHERE d.sn = ANY($1::text[])`,
    [sns],
  );
  return new Map(
    rows.map(({ sn, heard_ago_ms, unresolved, exports_logs, cut_off }) => [
      sn,
      {
        heardAgoMs: heard_ago_ms === null ? null : Number(heard_ago_ms),
        unresolved,
        exportsLogs: exports_logs,
        cutOff: cut_off,
      },
    ]),
  );
}

async function readWaylines(
  own: OrganisationRows,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PlannedWayline>> {
  const rows = await own.queryByKeys<PlannedWayline>(
    `SELECT id, organisation_id, name, exit_on_rc_lost, planned_duration_ms, aircraft_model_key, names_sub_type,
              payload_model_keys, archived_at, clock_timestamp() AS now
         FROM mission.wayline WHERE id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
