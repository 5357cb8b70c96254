import type { FlightReport } from './flight-report.js';
import type { Home } from './flight-plan.js';
import { groundDistanceMeters } from './geo.js';
import { type AircraftModel, aircraftModels, type DockModel } from './models.js';
import type { Json } from './wire.js';

/** All that telemetry is made of. */
export interface DockView {
  readonly model: DockModel;
  readonly aircraft: AircraftModel;
  readonly aircraftSn: string;
  readonly position: Home;
  readonly flight: FlightReport | undefined;
  /** It has opened for a task that it holds, before anybody starts it. */
  readonly opensForTask: boolean;
  readonly batteryPercent: number;
  readonly uptimeSeconds: number;
  readonly flightsFlown: number;
  readonly mediaWaiting: number;
  readonly weather: { readonly windMetersPerSecond: number; readonly temperature: number; readonly humidity: number };
  readonly properties: Json;
  readonly emergencyStopPressed: boolean;
  /** What a test wants the dock to say, whatever is true. */
  readonly overrides: ReadonlyMap<string, unknown>;
}

const STORAGE_TOTAL_KB = 30_773_248;
const FLIGHT_STEP_IDLE = 5;

export function isWorking(view: Pick<DockView, 'flight'>): boolean {
  return view.flight !== undefined && view.flight.phase !== 'ended';
}

/** The partial messages of a telemetry cycle. A real dock never sends its state in one piece. */
const parts = [workOsd, surroundingsOsd, placeOsd] as const;
export const OSD_PARTS = parts.length;

export function dockOsdPart(view: DockView, position: number): Json {
  const part = parts[position % OSD_PARTS]?.(view) ?? {};
  if (view.overrides.size === 0) return part;
  const own = [...view.overrides].filter(([name]) => partWith(view, name) === position % OSD_PARTS);
  return { ...part, ...Object.fromEntries(own) };
}

/** The part that holds a property; one that no part knows goes with the first. */
export function partWith(view: DockView, name: string): number {
  return Math.max(
    parts.findIndex((part) => name in part(view)),
    0,
  );
}

function workOsd(view: DockView): Json {
  const { flight } = view;
  const powered = flight?.aircraftPowered ?? false;
  const airborne = flight?.airborne ?? false;
  const percent = Math.round(view.batteryPercent);
  return {
    mode_code: isWorking(view) || view.opensForTask ? 4 : 0,
    flighttask_step_code: flightStepCode(flight),
    drone_in_dock: airborne ? 0 : 1,
    cover_state: flight?.coverOpen === true || view.opensForTask ? 1 : 0,
    // A dock charges what sits in it, unpowered.
    drone_charge_state: { capacity_percent: percent, state: !powered && percent < 95 ? 1 : 0 },
    sub_device: {
      device_sn: view.aircraftSn,
      device_model_key: aircraftKey(view.aircraft),
      device_online_status: powered ? 1 : 0,
      device_paired: 1,
    },
    network_state: { type: 2, quality: 5, rate: 5.2 },
    media_file_detail: { remain_upload: view.mediaWaiting },
    job_number: view.flightsFlown,
    drc_state: 0,
  };
}

function surroundingsOsd(view: DockView): Json {
  const { weather } = view;
  return {
    rainfall: 0,
    wind_speed: round(weather.windMetersPerSecond, 1),
    environment_temperature: round(weather.temperature, 1),
    temperature: round(weather.temperature + 4, 1),
    humidity: Math.round(weather.humidity),
    emergency_stop_state: view.emergencyStopPressed ? 1 : 0,
    alarm_state: 0,
    supplement_light_state: 0,
    putter_state: 0,
    battery_store_mode: 2,
    air_conditioner: { air_conditioner_state: 0, switch_time: 0 },
    backup_battery: { switch: 1, voltage: 26_900, temperature: 25.1 },
    electric_supply_voltage: 233,
    working_voltage: 35_600,
    working_current: isWorking(view) ? 2_100 : 900,
    storage: { total: STORAGE_TOTAL_KB, used: 812_344 + view.flightsFlown * 2_048 },
    drone_battery_maintenance_info: {
      heat_state: 0,
      maintenance_state: 0,
      // 32767 says unknown, which it is while the aircraft is off.
      batteries: [{ index: 0, capacity_percent: 32_767, temperature: 22, voltage: 0 }],
    },
  };
}

function placeOsd(view: DockView): Json {
  const { latitude, longitude, heightMeters } = view.position;
  return {
    latitude,
    longitude,
    height: heightMeters,
    heading: 12.5,
    home_position_is_valid: 1,
    alternate_land_point: {
      latitude: round(latitude + 0.0001, 7),
      longitude: round(longitude + 0.0001, 7),
      height: heightMeters,
      safe_land_height: 30,
      is_configured: 1,
    },
    position_state: { is_calibration: 1, is_fixed: 2, quality: 5, gps_number: 12, rtk_number: 31 },
    wireless_link: {
      dongle_number: 0,
      '4g_link_state': 0,
      sdr_link_state: 1,
      link_workmode: 0,
      sdr_quality: 5,
      '4g_quality': 0,
      '4g_uav_quality': 0,
      '4g_gnd_quality': 0,
      sdr_freq_band: 5.8,
    },
    acc_time: Math.round(view.uptimeSeconds),
    // [Cloud API] one in milliseconds, one in seconds; both are right.
    first_power_on: 1_704_067_200_000,
    activation_time: 1_704_067_200,
    maintain_status: { maintain_status_array: [] },
    ...view.properties,
  };
}

/** What the dock says for its aircraft. Only while it is powered. */
export function aircraftOsd(view: DockView, flight: FlightReport): Json {
  const { place } = flight;
  const percent = Math.floor(flight.batteryPercent);
  const camera = aircraftModels[view.aircraft].camera;
  return {
    mode_code: flight.aircraftMode,
    gear: 1,
    latitude: round(place.latitude, 7),
    longitude: round(place.longitude, 7),
    height: round(view.position.heightMeters + place.elevationMeters, 2),
    elevation: round(place.elevationMeters, 1),
    attitude_head: round(flight.headingDegrees, 1),
    attitude_pitch: flight.horizontalSpeed > 0 ? -8.1 : 0,
    attitude_roll: 0,
    horizontal_speed: round(flight.horizontalSpeed, 1),
    vertical_speed: round(flight.verticalSpeed, 1),
    // [Cloud API] the aircraft counts wind in 0.1 m/s, the dock in m/s.
    wind_speed: Math.round(view.weather.windMetersPerSecond * 10),
    wind_direction: 3,
    home_distance: round(groundDistanceMeters(view.position, place), 1),
    battery: {
      capacity_percent: percent,
      remain_flight_time: Math.round((percent / 0.05) * 0.8),
      return_home_power: 20,
      landing_power: 10,
      batteries: [{ index: 0, sub_type: 0, type: 0, sn: `${view.aircraftSn}B`, capacity_percent: percent }],
    },
    position_state: { is_fixed: 2, quality: 5, gps_number: 21, rtk_number: 33 },
    storage: { total: 60_082_688, used: 120_064 + flight.mediaCount * 12_000 },
    track_id: flight.trackId,
    [`${camera}-0-0`]: { gimbal_pitch: flight.phase === 'route' ? -90 : 0, gimbal_roll: 0, gimbal_yaw: 0 },
  };
}

export function aircraftKey(aircraft: AircraftModel): string {
  return `0-${aircraftModels[aircraft].type}-${aircraftModels[aircraft].subType}`;
}

function flightStepCode(flight: FlightReport | undefined): number {
  if (!flight || flight.phase === 'ended') return FLIGHT_STEP_IDLE;
  if (flight.phase === 'preparing') return 0;
  return flight.phase === 'recovering' ? 2 : 1;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
