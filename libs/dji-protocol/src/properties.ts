import { isJsonObject, type JsonObject } from './payload.js';

/**
 * Properties that are numbers in every published table, and decide whether a dock may fly and whether it does.
 * [Cloud API, dock properties]
 */
const NUMBERS: ReadonlySet<string> = new Set([
  'mode_code',
  'flighttask_step_code',
  'drone_in_dock',
  'cover_state',
  'emergency_stop_state',
  'rainfall',
  'wind_speed',
  'environment_temperature',
  'compatible_status',
  'latitude',
  'longitude',
]);

/** Structures of which every member is a number. */
const STRUCTURES: ReadonlySet<string> = new Set([
  'drone_charge_state',
  'storage',
  'position_state',
  'alternate_land_point',
]);

const NUMBER_TEXT = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/;

/**
 * Properties with numbers as numbers (quirk E18): some docks write them as texts. A text that is no number is kept, as
 * is everything that no table describes as a number: a serial number may be all digits.
 */
export function readProperties(properties: JsonObject): JsonObject {
  const changed = Object.entries(properties).flatMap(([name, value]): [string, unknown][] => {
    const read = NUMBERS.has(name) ? numberOf(value) : STRUCTURES.has(name) ? membersOf(value) : value;
    return read === value ? [] : [[name, read]];
  });
  return changed.length === 0 ? properties : { ...properties, ...Object.fromEntries(changed) };
}

const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && NUMBER_TEXT.test(value) ? Number(value) : value;

function membersOf(value: unknown): unknown {
  if (!isJsonObject(value) || !Object.values(value).some((member) => numberOf(member) !== member)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, numberOf(member)]));
}
