import { InvalidError } from '@aerie/kernel';
import type { Home } from './flight-plan.js';
import type { Fact } from './journal.js';
import { aircraftModels, type AircraftModel, type DockModel, dockModels } from './models.js';
import { defaultNumbering, type StepNumbering } from './steps.js';
import type { Dialect } from './wire.js';

/** When the dock asks the cloud for the route once more, with `flighttask_resource_get`. */
export type AskResource = 'never' | 'whenMissing' | 'always';

export interface DockOptions {
  readonly sn: string;
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`; default `mqtt://127.0.0.1:1883`. */
  readonly mqttUrl?: string;
  /** Authorities of the broker, PEM, instead of the public ones; for `mqtts://` and `wss://`. */
  readonly mqttCa?: string;
  readonly mqttUser?: string;
  readonly mqttPassword?: string;
  /** 4 is MQTT 3.1.1; default 5. */
  readonly mqttVersion?: 4 | 5;
  /** Default: the serial number. */
  readonly clientId?: string;
  readonly keepaliveSeconds?: number;
  /** False keeps the session, so that commands wait in the broker while the dock is away. Default true. */
  readonly cleanSession?: boolean;
  /** Of everything the dock publishes; default 0, as real docks do. */
  readonly qos?: 0 | 1;
  readonly model?: DockModel;
  /** Default: the dock's serial number with an `A` at its end. */
  readonly aircraftSn?: string;
  readonly aircraft?: AircraftModel;
  readonly bindingCode?: string;
  readonly organisationId?: string;
  readonly callsign?: string;
  readonly position?: Home;
  readonly batteryPercent?: number;
  /** Everything that looks random follows from this and the serial number. Default 1. */
  readonly seed?: number;
  /** `fresh` makes message ids that no other run has; `seeded` takes them from the seed too. Default `fresh`. */
  readonly messageIds?: 'fresh' | 'seeded';
  readonly faults?: string;
  /** Ways of docks of other makes, comma separated; none by default. */
  readonly personality?: string;
  /** Simulated seconds per real second, for flights only. Default 20. */
  readonly speed?: number;
  /** Length of a telemetry cycle; default 2000 (0.5 Hz). */
  readonly osdIntervalMs?: number;
  readonly progressIntervalMs?: number;
  /** 0 sends none. Default 30000. */
  readonly hmsIntervalMs?: number;
  /** In how many of a hundred health messages the dock has an alarm. Default 20. */
  readonly alarmPercent?: number;
  /** Waits before each repeat of an unanswered event; the last one repeats. Default 2000, 4000, 8000. */
  readonly resendScheduleMs?: readonly number[];
  /** Repeats of one unanswered event; default 10. */
  readonly resendLimit?: number;
  /** Waits before each repeat of an aircraft `state` message; default 2200, 4200, 8200. */
  readonly stateResendScheduleMs?: readonly number[];
  /** First wait for an answer to a request; it doubles up to ten times itself. Default 3000. */
  readonly requestTimeoutMs?: number;
  /** Then the dock goes on without the answer. Default 3. */
  readonly requestAttempts?: number;
  /** First wait before a new connection; it doubles up to 30 s. Default 1000. */
  readonly reconnectMs?: number;
  readonly rebootMs?: number;
  readonly dialect?: Dialect;
  readonly stepNumbering?: StepNumbering;
  /** Default `whenMissing`. */
  readonly askResource?: AskResource;
  /** Ask for offline maps and flight areas before take-off, and lose 40 simulated seconds when not answered. */
  readonly askMaps?: boolean;
  /** Prepared tasks and the running flight outlive a reboot. Default true. */
  readonly keepsTasksOverReboot?: boolean;
  readonly tasksMax?: number;
  /** Announce power-off of the aircraft by an `update_topo` without sub-devices. Default false. */
  readonly topologyFollowsPower?: boolean;
  /** Events of no API page, such as a dock sends around a flight. Default false. */
  readonly extraEvents?: boolean;
  /** Size of each file that is uploaded after a flight; 0 takes photos and uploads none. Default 40000. */
  readonly mediaBytes?: number;
  /** Size of the log of each boot. Default 60000. */
  readonly logBytes?: number;
  /** Boots of the dock, and of the aircraft, that have left a log when the dock starts, the present one included. Default 5. */
  readonly logBoots?: number;
  /** First pause before an upload, or the question for the storage, is tried again; it doubles. Default 5000. */
  readonly storageRetryMs?: number;
  readonly downloadTimeoutMs?: number;
  readonly downloadBytesMax?: number;
  /** Entries that each list of the handle keeps; default 20000. */
  readonly journalEntriesMax?: number;
  readonly onFact?: (fact: Fact) => void;
}

type Optional = 'mqttCa' | 'mqttUser' | 'mqttPassword' | 'bindingCode' | 'organisationId' | 'onFact';
export type DockSettings = Required<Omit<DockOptions, Optional>> & Pick<DockOptions, Optional>;

/** A file is made in memory. */
export const MEDIA_BYTES_MAX = 64 * 1024 * 1024;
/** The disk keeps no more than so many for each module. */
export const BOOTS_MAX = 200;
export const LOG_BYTES_MAX = 64 * 1024 * 1024;
const SERIAL_NUMBER = /^[A-Za-z0-9_-]{1,64}$/;

/** The aircraft of a simulated dock, where nobody names one. */
export const aircraftSnOf = (dockSn: string): string => `${dockSn}A`;

/** Fills in the defaults and refuses what cannot work, naming the option. */
export function resolveSettings(options: DockOptions): DockSettings {
  const model = options.model ?? 'dock2';
  if (!Object.hasOwn(dockModels, model)) throw invalid('model', `is one of ${Object.keys(dockModels).join(', ')}`);
  const dialect = options.dialect ?? 'newest';
  const settings: DockSettings = {
    mqttUrl: 'mqtt://127.0.0.1:1883',
    mqttVersion: 5,
    clientId: options.sn,
    keepaliveSeconds: 10,
    cleanSession: true,
    qos: 0,
    model,
    aircraftSn: aircraftSnOf(options.sn),
    aircraft: dockModels[model].aircraft,
    callsign: options.sn,
    position: { latitude: 47.3977, longitude: 8.5456, heightMeters: 488 },
    batteryPercent: 94,
    seed: 1,
    messageIds: 'fresh',
    faults: '',
    personality: '',
    speed: 20,
    osdIntervalMs: 2_000,
    progressIntervalMs: 2_000,
    hmsIntervalMs: 30_000,
    alarmPercent: 20,
    resendScheduleMs: [2_000, 4_000, 8_000],
    resendLimit: 10,
    stateResendScheduleMs: [2_200, 4_200, 8_200],
    requestTimeoutMs: 3_000,
    requestAttempts: 3,
    reconnectMs: 1_000,
    rebootMs: 3_000,
    dialect,
    stepNumbering: dialect === 'seed' ? 'g1' : defaultNumbering(model),
    askResource: 'whenMissing',
    askMaps: model !== 'dock1' && dialect === 'newest',
    keepsTasksOverReboot: true,
    tasksMax: 16,
    topologyFollowsPower: false,
    extraEvents: false,
    mediaBytes: 40_000,
    logBytes: 60_000,
    logBoots: 5,
    storageRetryMs: 5_000,
    downloadTimeoutMs: 30_000,
    downloadBytesMax: 64 * 1024 * 1024,
    journalEntriesMax: 20_000,
    ...withoutUndefined(options),
  };
  check(settings);
  return settings;
}

/** So that `{ speed: undefined }` from untyped callers means "the default" too. */
function withoutUndefined(options: DockOptions): DockOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as DockOptions;
}

function check(settings: DockSettings): void {
  if (!SERIAL_NUMBER.test(settings.sn)) throw invalid('sn', 'holds 1 to 64 letters, digits, _ or -');
  if (!SERIAL_NUMBER.test(settings.aircraftSn)) throw invalid('aircraftSn', 'holds 1 to 64 letters, digits, _ or -');
  if (settings.aircraftSn === settings.sn) throw invalid('aircraftSn', 'is not the serial number of the dock');
  if (!Object.hasOwn(aircraftModels, settings.aircraft)) {
    throw invalid('aircraft', `is one of ${Object.keys(aircraftModels).join(', ')}`);
  }
  if (!/^(mqtts?|wss?):\/\/./.test(settings.mqttUrl)) {
    throw invalid('mqttUrl', 'starts with mqtt://, mqtts://, ws:// or wss://');
  }
  if (settings.mqttCa !== undefined && !/^(mqtts|wss):/.test(settings.mqttUrl)) {
    throw invalid('mqttCa', 'goes with mqtts:// or wss://: nothing else is verified');
  }
  const intervals = [
    'osdIntervalMs',
    'progressIntervalMs',
    'requestTimeoutMs',
    'reconnectMs',
    'storageRetryMs',
  ] as const;
  const positive = ['speed', ...intervals] as const;
  for (const name of positive) if (!(settings[name] > 0)) throw invalid(name, 'is above 0');
  const counts = ['resendLimit', 'requestAttempts', 'tasksMax'] as const;
  for (const name of counts) if (!Number.isInteger(settings[name])) throw invalid(name, 'is a whole number');
  if (settings.requestAttempts < 1) throw invalid('requestAttempts', 'is at least 1');
  wholeNumber(settings, 'alarmPercent', 0, 100);
  wholeNumber(settings, 'mediaBytes', 0, MEDIA_BYTES_MAX);
  wholeNumber(settings, 'logBytes', 1, LOG_BYTES_MAX);
  wholeNumber(settings, 'logBoots', 1, BOOTS_MAX);
  if (!(settings.batteryPercent >= 0 && settings.batteryPercent <= 100)) throw invalid('batteryPercent', 'is 0 to 100');
}

function wholeNumber(
  settings: DockSettings,
  name: 'alarmPercent' | 'mediaBytes' | 'logBytes' | 'logBoots',
  least: number,
  most: number,
): void {
  const value = settings[name];
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(name, `is a whole number from ${least} to ${most}`);
}

function invalid(field: string, message: string): InvalidError {
  return new InvalidError('bad_dock_option', `${field} ${message}`, { fields: [{ field, message }] });
}
