import type { DockStateView } from '@aerie/bus-contract';

type Properties = DockStateView['properties'];
export type Device = 'dock' | 'aircraft';

/** [Cloud API] What says unknown: 32767 in the fields of batteries, 65535 in enumerations. Elsewhere both are values. */
type Unknown = 'battery' | 'enumeration';

interface Shown {
  /** For people; of a structure the units of its members. */
  readonly unit?: string;
  readonly unknown?: Unknown;
  /** A device that counts in tenths of the unit. */
  readonly inTenths?: true;
}

const enumeration: Shown = { unknown: 'enumeration' };

const BOTH: Readonly<Record<string, Shown>> = {
  mode_code: enumeration,
  latitude: { unit: 'degrees' },
  longitude: { unit: 'degrees' },
  height: { unit: 'm above the ellipsoid' },
  storage: { unit: 'KB' },
  position_state: enumeration,
  firmware_upgrade_status: enumeration,
  compatible_status: enumeration,
};

/** Of the properties that have a unit, or a number that says unknown. What is not named is shown as it came. */
export const SHOWN: Readonly<Record<Device, Readonly<Record<string, Shown>>>> = {
  dock: {
    ...BOTH,
    flighttask_step_code: enumeration,
    drone_in_dock: enumeration,
    cover_state: enumeration,
    putter_state: enumeration,
    supplement_light_state: enumeration,
    emergency_stop_state: enumeration,
    alarm_state: enumeration,
    rainfall: enumeration,
    battery_store_mode: enumeration,
    home_position_is_valid: enumeration,
    drc_state: enumeration,
    sub_device: enumeration,
    air_conditioner: { ...enumeration, unit: 'switch_time s' },
    wireless_link: { ...enumeration, unit: 'sdr_freq_band and 4g_freq_band GHz' },
    network_state: { ...enumeration, unit: 'rate KB/s' },
    drone_charge_state: { unit: 'capacity_percent %', unknown: 'battery' },
    drone_battery_maintenance_info: {
      unit: 'capacity_percent %, voltage mV, temperature °C',
      unknown: 'battery',
    },
    backup_battery: { unit: 'voltage mV, temperature °C', unknown: 'battery' },
    wind_speed: { unit: 'm/s' },
    environment_temperature: { unit: '°C' },
    temperature: { unit: '°C' },
    humidity: { unit: '% relative' },
    heading: { unit: 'degrees' },
    alternate_land_point: { unit: 'latitude, longitude degrees; height, safe_land_height m' },
    electric_supply_voltage: { unit: 'V' },
    working_voltage: { unit: 'mV' },
    working_current: { unit: 'mA' },
    acc_time: { unit: 's' },
    first_power_on: { unit: 'ms since the epoch' },
    activation_time: { unit: 's since the epoch' },
  },
  aircraft: {
    ...BOTH,
    gear: enumeration,
    mode_code_reason: enumeration,
    wind_direction: enumeration,
    control_source: enumeration,
    rth_mode: enumeration,
    current_rth_mode: enumeration,
    night_lights_state: enumeration,
    drone_battery_maintenance_info: {
      unit: 'capacity_percent %, voltage mV, temperature °C',
      unknown: 'battery',
    },
    battery: {
      unit: 'capacity_percent, return_home_power, landing_power %; remain_flight_time s; voltage mV; temperature °C',
      unknown: 'battery',
    },
    wind_speed: { unit: 'm/s', inTenths: true },
    elevation: { unit: 'm above the take-off point' },
    attitude_head: { unit: 'degrees' },
    attitude_pitch: { unit: 'degrees' },
    attitude_roll: { unit: 'degrees' },
    horizontal_speed: { unit: 'm/s' },
    vertical_speed: { unit: 'm/s' },
    home_distance: { unit: 'm' },
    home_latitude: { unit: 'degrees' },
    home_longitude: { unit: 'degrees' },
    height_limit: { unit: 'm' },
    rth_altitude: { unit: 'm' },
    distance_limit_status: { unit: 'distance_limit m' },
    total_flight_distance: { unit: 'm' },
    total_flight_time: { unit: 's' },
  },
};

const MARK: Readonly<Record<Unknown, number>> = { battery: 32_767, enumeration: 65_535 };

/** Properties for people and programs: null where the device says unknown, each quantity in one unit on all devices. */
export function shownProperties(device: Device, properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, told]) => {
      const shown = Object.hasOwn(SHOWN[device], name) ? SHOWN[device][name] : undefined;
      if (shown === undefined) return [name, told];
      const known = shown.unknown === undefined ? told.value : withoutMark(told.value, MARK[shown.unknown]);
      return [name, { ...told, value: shown.inTenths === true ? fromTenths(known) : known }];
    }),
  );
}

/** Also inside structures and lists; some firmware writes numbers as text. */
function withoutMark(value: unknown, mark: number): unknown {
  if (value === mark || value === String(mark)) return null;
  if (Array.isArray(value)) return value.map((each) => withoutMark(each, mark));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutMark(each, mark)]));
}

function fromTenths(value: unknown): unknown {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
  return isNumber ? Number((Number(value) / 10).toFixed(2)) : value;
}

/** For the document of the API: every property that has a unit. */
export function unitsOf(device: Device): string {
  return Object.entries(SHOWN[device])
    .flatMap(([name, { unit }]) => (unit === undefined ? [] : [`\`${name}\` ${unit}`]))
    .join('; ');
}
