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
import {
  type Alarm,
  type AlarmEvent,
  type AlarmList,
  type FoldedAlarms,
  SAME_ALARM_WITHIN_MS,
  foldLists,
} from './fold-lists.js';

/** A message that lists what is wrong with a device. */
export interface AlarmFact {
  /** The dock or the aircraft that has the alarms. */
  readonly deviceSn: string;
  /** The dock that spoke. */
  readonly dockSn: string;
  readonly list: AlarmList;
}

/** Rows of one device that are kept of those that are over: a dock that makes codes up must not fill the table. */
const MOST_CLOSED = 1_000;

interface Device {
  readonly dockSn: string;
  readonly deviceSn: string;
  readonly lists: AlarmList[];
}

/** By dock and device: an aircraft that has moved has other alarms at the other dock, for other people. */
type Devices = ReadonlyMap<string, Device>;

const keyOf = ({ dockSn, deviceSn }: Pick<Device, 'dockSn' | 'deviceSn'>): string => JSON.stringify([dockSn, deviceSn]);

/** Keeps which alarms of docks and aircraft are open, and which were. What changes nothing is not written. */
export class KeepAlarms {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /** A list that comes again changes nothing, so no message has to be remembered. */
  async keep(facts: readonly AlarmFact[]): Promise<void> {
    if (facts.length === 0) return;
    const devices = new Map<string, Device>();
    for (const { deviceSn, dockSn, list } of facts) {
      const key = keyOf({ dockSn, deviceSn });
      const device = devices.get(key) ?? { dockSn, deviceSn, lists: [] };
      device.lists.push(list);
      devices.set(key, device);
    }
    const known = await readKnown(rowsOfAll(this.dataSource), devices);
    const changing = [...foldAll(devices, known).keys()];
    const moved = known.filter(({ is_elsewhere }) => is_elsewhere).map(keyOfRow);
    if (changing.length + moved.length === 0) return;
    await inTransaction(this.dataSource, async (tx) => {
      await lockDevices(tx, [...new Set([...changing, ...moved].map((key) => devices.get(key)?.deviceSn ?? key))]);
      for (const key of new Set(moved)) {
        const { dockSn, deviceSn } = devices.get(key) as Device;
        await closeAlarms(tx, { deviceSn, exceptOfDockSn: dockSn });
      }
      await write(tx, devices, foldAll(devices, await readKnown(tx, devices)));
    });
  }
}

interface KnownRow {
  readonly dock_sn: string;
  readonly sn: string;
  /** An alarm of the device is open at another dock, which had it before. */
  readonly is_elsewhere: boolean;
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

const ALARM = `id, code, component_index, sensor_index, module, device_type, level, in_the_sky, imminent, opened_at, seen_at, closed_at,
         times`;

/**
 * Alarms of the devices that are open, or were closed shortly before the first of the lists came. Each arm has an index, since it is
 * asked with each list and a device may have many alarms that are long over.
 */
const READ = `
  SELECT s.dock_sn, s.sn, round(extract(epoch FROM h.heard_at) * 1000)::float8 AS heard_at_ms,
         EXISTS (SELECT FROM fleet.alarm e WHERE e.device_sn = s.sn AND e.dock_sn <> s.dock_sn AND e.closed_at IS NULL) AS is_elsewhere,
         a.id, a.code, a.component_index::float8, a.sensor_index::float8, a.module::float8, a.device_type, a.level::float8,
         a.in_the_sky, a.imminent, ${['opened_at', 'seen_at', 'closed_at'].map(msOf).join(', ')}, a.times
    FROM unnest($1::text[], $2::text[], $3::float8[]) AS s (dock_sn, sn, since_ms)
    LEFT JOIN LATERAL (
      SELECT max(heard_at) AS heard_at FROM fleet.alarm WHERE dock_sn = s.dock_sn AND device_sn = s.sn) AS h ON true
    LEFT JOIN LATERAL (
      SELECT ${ALARM} FROM fleet.alarm WHERE dock_sn = s.dock_sn AND device_sn = s.sn AND closed_at IS NULL
       UNION ALL
      SELECT ${ALARM} FROM fleet.alarm
       WHERE dock_sn = s.dock_sn AND device_sn = s.sn AND closed_at IS NOT NULL
         AND heard_at >= to_timestamp(s.since_ms / 1000.0)) AS a ON true`;

const keyOfRow = ({ dock_sn: dockSn, sn: deviceSn }: KnownRow): string => keyOf({ dockSn, deviceSn });

function readKnown(rows: Pick<OrganisationRows | Tx, 'query'>, devices: Devices): Promise<KnownRow[]> {
  const asked = [...devices.values()];
  const since = asked.map(
    ({ lists }) => Math.min(...lists.map(({ receivedAtMs }) => receivedAtMs)) - SAME_ALARM_WITHIN_MS,
  );
  return rows.query<KnownRow>(READ, [
    ...[asked.map(({ dockSn }) => dockSn), asked.map(({ deviceSn }) => deviceSn), since],
  ]);
}

/** What changes, by device. */
function foldAll(devices: Devices, rows: readonly KnownRow[]): ReadonlyMap<string, FoldedAlarms> {
  const folded = [...devices].map(([key, { lists }]) => {
    const own = rows.filter((row) => keyOfRow(row) === key);
    const alarms = own.flatMap((row) => (row.id === null ? [] : [alarmOf(row)]));
    return [key, foldLists({ alarms, heardAtMs: own[0]?.heard_at_ms ?? null }, lists)] as const;
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
  const rows = [...folded].flatMap(([key, { changed, heardAtMs }]) => {
    const { dockSn, deviceSn } = devices.get(key) as Device;
    return changed.map((alarm) => ({ ...alarm, id: alarm.id ?? randomUUID(), dockSn, deviceSn, heardAtMs }));
  });
  if (rows.length === 0) return;
  const kept = await tx.query<{ id: string; organisation_id: string }>(WRITE, [JSON.stringify(rows)]);
  const organisations = new Map(kept.map((row) => [row.id, row.organisation_id]));
  const ids = new Map(rows.map((row) => [identity(keyOf(row), row), row.id]));
  const facts = [...folded].flatMap(([key, { events }]) =>
    events.flatMap(({ event, alarm }) => {
      const id = alarm.id ?? ids.get(identity(key, alarm)) ?? '';
      const organisationId = organisations.get(id);
      const { dockSn, deviceSn } = devices.get(key) as Device;
      return organisationId === undefined ? [] : [factOf(event, organisationId, { ...alarm, id, dockSn, deviceSn })];
    }),
  );
  await writeOutbox(tx, SCHEMA, facts);
  const opened = [...folded].filter(([, { events }]) => events.some(({ event }) => event === 'alarmOpened'));
  const asked = opened.map(([key]) => devices.get(key) as Device);
  if (asked.length > 0)
    await tx.run(PRUNE, [asked.map(({ dockSn }) => dockSn), asked.map(({ deviceSn }) => deviceSn), MOST_CLOSED]);
}

type ToldAlarm = Pick<Alarm, 'code' | 'level' | 'imminent' | 'times' | 'openedAtMs' | 'closedAtMs'> &
  Pick<Device, 'dockSn' | 'deviceSn'> & { readonly id: string };

/** What other programs are told. */
function factOf(event: AlarmEvent, organisationId: string, alarm: ToldAlarm) {
  const { id, dockSn, deviceSn, code, level, imminent, times, openedAtMs, closedAtMs } = alarm;
  const openedAt = new Date(openedAtMs).toISOString();
  const closedAt = closedAtMs === null ? null : new Date(closedAtMs).toISOString();
  return {
    subject: factSubject('fleet', organisationId, event),
    payload: { id, dockSn, deviceSn, code, level, imminent, times, openedAt, closedAt },
  };
}

/** Which alarms: of a dock and its aircraft, of one device at a dock, or of one device wherever it was before. */
export type WhoseAlarms =
  | { readonly dockSn: string; readonly deviceSn: string | null }
  | { readonly deviceSn: string; readonly exceptOfDockSn: string };

interface ClosedRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly dock_sn: string;
  readonly device_sn: string;
  readonly code: string;
  readonly level: number | null;
  readonly imminent: boolean;
  readonly times: number;
  readonly opened_at: Date;
  readonly closed_at: Date;
}

/** Nobody at this dock speaks for the device any more: what it said last is over, here. In the transaction that moves it. */
export async function closeAlarms(tx: Tx, whose: WhoseAlarms): Promise<void> {
  const [where, values] =
    'dockSn' in whose
      ? ['dock_sn = $1 AND ($2::text IS NULL OR device_sn = $2)', [whose.dockSn, whose.deviceSn]]
      : ['device_sn = $1 AND dock_sn <> $2', [whose.deviceSn, whose.exceptOfDockSn]];
  const closed = await tx.query<ClosedRow>(
    `UPDATE fleet.alarm SET closed_at = clock_timestamp(), heard_at = clock_timestamp() WHERE ${where} AND closed_at IS NULL
     RETURNING id, organisation_id, dock_sn, device_sn, code, level::float8, imminent, times, opened_at, closed_at`,
    values,
  );
  const facts = closed.map(
    ({ organisation_id, dock_sn: dockSn, device_sn: deviceSn, opened_at, closed_at, ...row }) => {
      const [openedAtMs, closedAtMs] = [opened_at.getTime(), closed_at.getTime()];
      return factOf('alarmClosed', organisation_id, { ...row, dockSn, deviceSn, openedAtMs, closedAtMs });
    },
  );
  await writeOutbox(tx, SCHEMA, facts);
}

const PRUNE = `
  DELETE FROM fleet.alarm WHERE id IN (
    SELECT o.id FROM unnest($1::text[], $2::text[]) AS s (dock_sn, sn)
     CROSS JOIN LATERAL (
       SELECT id FROM fleet.alarm WHERE dock_sn = s.dock_sn AND device_sn = s.sn AND closed_at IS NOT NULL
        ORDER BY heard_at DESC OFFSET $3::int) AS o)`;

const identity = (key: string, { code, componentIndex, sensorIndex, openedAtMs }: Alarm): string =>
  JSON.stringify([key, code, componentIndex, sensorIndex, openedAtMs]);

/** Whoever acknowledged it has not seen this. */
const GOT_WORSE = 'excluded.imminent > a.imminent OR excluded.level > coalesce(a.level, -1)';

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
    JOIN fleet.dock d ON d.sn = t."dockSn" AND d.retired_at IS NULL
  ON CONFLICT (id) DO UPDATE SET level = excluded.level, in_the_sky = excluded.in_the_sky, imminent = excluded.imminent,
         seen_at = excluded.seen_at, closed_at = excluded.closed_at, times = excluded.times, heard_at = excluded.heard_at,
         acknowledged_at = CASE WHEN ${GOT_WORSE} THEN NULL ELSE a.acknowledged_at END,
         acknowledged_by = CASE WHEN ${GOT_WORSE} THEN NULL ELSE a.acknowledged_by END
  RETURNING a.id, a.organisation_id`;
