import type { DockFact } from '@aerie/bus-contract';
import { type HmsAlarm, decodeHms } from '@aerie/dji-protocol';
import type { SaidAlarm } from '../../alarms/fold-lists.js';
import type { AlarmFact } from '../../alarms/keep-alarms.js';

/** No documented code, and no type, is near this. */
const LONGEST_NAME = 64;

/**
 * The alarms that a message lists; null: it lists none, or cannot be read. A time from the future would hold back the lists
 * that come next.
 */
export function readAlarms(fact: DockFact, dockSn: string): AlarmFact | null {
  if (fact.channel !== 'events' || fact.method !== 'hms') return null;
  const read = decodeHms.safeParse(fact.data);
  if (!read.success) return null;
  const alarms = read.data.list.map(saidAlarmOf).filter(isKept);
  return { deviceSn: fact.sn, dockSn, list: { receivedAtMs: Math.min(fact.receivedAtMs, Date.now()), alarms } };
}

const saidAlarmOf = ({ code, level, module, in_the_sky, device_type, imminent, args }: HmsAlarm): SaidAlarm => ({
  code,
  componentIndex: indexOf(args?.component_index),
  sensorIndex: indexOf(args?.sensor_index),
  module: module ?? null,
  deviceType: device_type ?? null,
  level: level ?? null,
  inTheSky: in_the_sky === 1,
  imminent: imminent === 1,
});

/** A negative one names nothing. */
const indexOf = (index = -1): number | null => (index < 0 ? null : index);

const isKept = ({ code, deviceType }: SaidAlarm): boolean =>
  code.length <= LONGEST_NAME && (deviceType?.length ?? 0) <= LONGEST_NAME;
