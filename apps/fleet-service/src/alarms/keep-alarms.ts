// The statements that keep alarms. Raw SQL.
import { randomUUID } from 'node:crypto';
import { factSubject } from '@aerie/bus-contract';
import {
  type DatabaseOf,
  type OrganisationRows,
  type Tx,
  inTransaction,
  rowsOfAll,
  writeOutbox,
} from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { type Alarm, type AlarmList, type FoldedAlarms, SAME_ALARM_WITHIN_MS, foldLists } from './fold-lists.js';

/** A message that lists what is wrong with a device. */
export interface AlarmFact {
  /** The dock or the aircraft that has the alarms. */
  readonly deviceSn: string;
  /** The dock that spoke. */
  readonly dockSn: string;
  readonly list: AlarmList;
}

interface Device {
  readonly dockSn: string;
  readonly lists: AlarmList[];
}

type Devices = ReadonlyMap<string, Device>;

/** Keeps which alarms of docks and aircraft are open, and which were. What changes nothing is not written. */
export class KeepAlarms {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /** A list that comes again changes nothing, so no message has to be remembered. */
  async keep(facts: readonly AlarmFact[]): Promise<void> {
    if (facts.length === 0) return;
    const devices = new Map<string, Device>();
    for (const { deviceSn, dockSn, list } of facts) {
      const device = devices.get(deviceSn) ?? { dockSn, lists: [] };
      device.lists.push(list);
      devices.set(deviceSn, device);
    }
    const changing = [...foldAll(devices, await readKnown(rowsOfAll(this.dataSource), devices)).keys()];
    if (changing.length === 0) return;
    await inTransaction(this.dataSource, async (tx) => {
      await lockDevices(tx, changing);
      await write(tx, devices, foldAll(devices, await readKnown(tx, devices)));
    });
  }
}

interface KnownRow {
  readonly sn: string;
  readonly heard_at_ms: number | null;
  readonly id: string | null;
  readonly code: string;
  readonly component_index: number | null;
  readonly sensor_index: number | null;
  readonly module: number | null;
  readonly device_type: string | null;
  readonly level: number | null;
  readonly in_the_sky: boolean;
  readonly imminent: boolean;
  readonly opened_at_ms: number;
  readonly seen_at_ms: number;
  readonly closed_at_ms: number | null;
  readonly times: number;
}

const msOf = (column: string): string => `round(extract(epoch FROM a.${column}) * 1000)::float8 AS ${column}_ms`;

/** Alarms of the devices that are open, or were closed shortly before the first of the lists came. */
const READ = `
  SELECT s.sn, round(extract(epoch FROM h.heard_at) * 1000)::float8 AS heard_at_ms, a.id, a.code,
         a.component_index::float8, a.sensor_index::float8, a.module::float8, a.device_type, a.level::float8, a.in_the_sky,
         a.imminent, ${['opened_at', 'seen_at', 'closed_at'].map(msOf).join(', ')}, a.times
    FROM unnest($1::text[], $2::float8[]) AS s (sn, since_ms)
    LEFT JOIN LATERAL (SELECT max(heard_at) AS heard_at FROM fleet.alarm WHERE device_sn = s.sn) AS h ON true
    LEFT JOIN fleet.alarm a ON a.device_sn = s.sn
         AND (a.closed_at IS NULL OR a.heard_at >= to_timestamp(s.since_ms / 1000.0))`;

function readKnown(rows: Pick<OrganisationRows | Tx, 'query'>, devices: Devices): Promise<KnownRow[]> {
  const sns = [...devices.keys()];
  const since = [...devices.values()].map(
    ({ lists }) => Math.min(...lists.map(({ receivedAtMs }) => receivedAtMs)) - SAME_ALARM_WITHIN_MS,
  );
  return rows.query<KnownRow>(READ, [sns, since]);
}

/** What changes, by device. */
function foldAll(devices: Devices, rows: readonly KnownRow[]): ReadonlyMap<string, FoldedAlarms> {
  const folded = [...devices].map(([sn, { lists }]) => {
    const own = rows.filter((row) => row.sn === sn);
    const alarms = own.flatMap((row) => (row.id === null ? [] : [alarmOf(row)]));
    return [sn, foldLists({ alarms, heardAtMs: own[0]?.heard_at_ms ?? null }, lists)] as const;
  });
  return new Map(folded.filter(([, { changed }]) => changed.length > 0));
}

const alarmOf = (row: KnownRow): Alarm => ({
  id: row.id,
  code: row.code,
  componentIndex: row.component_index,
  sensorIndex: row.sensor_index,
  module: row.module,
  deviceType: row.device_type,
  level: row.level,
  inTheSky: row.in_the_sky,
  imminent: row.imminent,
  openedAtMs: row.opened_at_ms,
  seenAtMs: row.seen_at_ms,
  closedAtMs: row.closed_at_ms,
  times: row.times,
});

/** Two replicas never write the alarms of one device at once; sorted, so that they wait for each other in one order only. */
async function lockDevices(tx: Tx, sns: readonly string[]): Promise<void> {
  await tx.run(
    `SELECT pg_advisory_xact_lock(hashtextextended('fleet.alarm ' || sn, 0))
       FROM (SELECT sn FROM unnest($1::text[]) AS s (sn) ORDER BY sn OFFSET 0) AS sorted`,
    [sns],
  );
}

async function write(tx: Tx, devices: Devices, folded: ReadonlyMap<string, FoldedAlarms>): Promise<void> {
  const rows = [...folded].flatMap(([sn, { changed, heardAtMs }]) =>
    changed.map((alarm) => ({
      ...alarm,
      ...{ id: alarm.id ?? randomUUID(), deviceSn: sn, dockSn: devices.get(sn)?.dockSn, heardAtMs },
    })),
  );
  if (rows.length === 0) return;
  const kept = await tx.query<{ id: string; organisation_id: string; device_sn: string; code: string }>(WRITE, [
    JSON.stringify(rows),
  ]);
  const organisations = new Map(kept.map((row) => [row.device_sn, row.organisation_id]));
  const ids = new Map(rows.map((row) => [identity(row.deviceSn, row), row.id]));
  const facts = [...folded].flatMap(([sn, { events }]) => {
    const organisationId = organisations.get(sn);
    if (organisationId === undefined) return [];
    return events.map(({ event, alarm }) => ({
      subject: factSubject('fleet', organisationId, event),
      payload: {
        ...{ id: alarm.id ?? ids.get(identity(sn, alarm)), dockSn: devices.get(sn)?.dockSn, deviceSn: sn },
        ...{ code: alarm.code, level: alarm.level, imminent: alarm.imminent, times: alarm.times },
        openedAt: new Date(alarm.openedAtMs).toISOString(),
        closedAt: alarm.closedAtMs === null ? null : new Date(alarm.closedAtMs).toISOString(),
      },
    }));
  });
  await writeOutbox(tx, SCHEMA, facts);
}

const identity = (sn: string, { code, componentIndex, sensorIndex, openedAtMs }: Alarm): string =>
  JSON.stringify([sn, code, componentIndex, sensorIndex, openedAtMs]);

/** Of a dock that was taken out of service meanwhile nothing is kept. */
const WRITE = `
  INSERT INTO fleet.alarm AS a (id, organisation_id, dock_sn, device_sn, code, component_index, sensor_index, module, device_type,
         level, in_the_sky, imminent, opened_at, seen_at, closed_at, times, heard_at)
  SELECT t.id, d.organisation_id, d.sn, t."deviceSn", t.code, t."componentIndex", t."sensorIndex", t.module, t."deviceType",
         t.level, t."inTheSky", t.imminent, to_timestamp(t."openedAtMs" / 1000.0), to_timestamp(t."seenAtMs" / 1000.0),
         to_timestamp(t."closedAtMs" / 1000.0), t.times, to_timestamp(t."heardAtMs" / 1000.0)
    FROM jsonb_to_recordset($1::jsonb) AS t (id uuid, "dockSn" text, "deviceSn" text, code text, "componentIndex" bigint,
         "sensorIndex" bigint, module bigint, "deviceType" text, level bigint, "inTheSky" boolean, imminent boolean,
         "openedAtMs" float8, "seenAtMs" float8, "closedAtMs" float8, times integer, "heardAtMs" float8)
    JOIN fleet.dock d ON d.sn = t."dockSn"
  ON CONFLICT (id) DO UPDATE SET level = excluded.level, in_the_sky = excluded.in_the_sky, imminent = excluded.imminent,
         seen_at = excluded.seen_at, closed_at = excluded.closed_at, times = excluded.times, heard_at = excluded.heard_at
  RETURNING a.id, a.organisation_id, a.device_sn, a.code`;
