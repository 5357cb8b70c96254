import { InvalidError } from '@aerie/kernel';
import { parseArgs } from 'node:util';
import { parseDurationMs } from './duration.js';
import { faultForms, parseFaults } from './fault-words.js';
import { BOOTS_MAX } from './settings.js';
import { AIRCRAFT_MODELS, type DockModel, dockModels, isDockModel } from './models.js';
import { PERSONALITIES, parsePersonalities } from './personalities.js';
import { type DockOptions, LOG_BYTES_MAX, MEDIA_BYTES_MAX } from './settings.js';
import { objectOf, textOf } from './wire.js';

/** One dock of a credentials file, as fleet-service hands them out. */
export interface DockCredential {
  readonly sn: string;
  readonly mqttUser?: string;
  readonly mqttPassword?: string;
  readonly bindingCode?: string;
  readonly organisationId?: string;
  readonly aircraftSn?: string;
}

export type ProgramOptions =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'run';
      readonly docks: number | undefined;
      readonly snPrefix: string;
      readonly credentialsFile: string | undefined;
      readonly caFile: string | undefined;
      readonly durationMs: number | undefined;
      readonly seed: number;
      readonly common: Omit<DockOptions, 'sn'>;
    };

const DOCKS_MAX = 10_000;

const flags = {
  docks: { type: 'string' },
  model: { type: 'string' },
  aircraft: { type: 'string' },
  faults: { type: 'string' },
  personality: { type: 'string' },
  seed: { type: 'string' },
  'mqtt-url': { type: 'string' },
  'mqtt-ca': { type: 'string' },
  'mqtt-user': { type: 'string' },
  'mqtt-password': { type: 'string' },
  credentials: { type: 'string' },
  'sn-prefix': { type: 'string' },
  'mqtt-version': { type: 'string' },
  qos: { type: 'string' },
  speed: { type: 'string' },
  duration: { type: 'string' },
  position: { type: 'string' },
  battery: { type: 'string' },
  dialect: { type: 'string' },
  'ask-resource': { type: 'string' },
  'osd-interval': { type: 'string' },
  'progress-interval': { type: 'string' },
  'media-bytes': { type: 'string' },
  'alarm-percent': { type: 'string' },
  'log-bytes': { type: 'string' },
  'log-boots': { type: 'string' },
  'binding-code': { type: 'string' },
  'organisation-id': { type: 'string' },
  'forget-on-reboot': { type: 'boolean' },
  'keep-session': { type: 'boolean' },
  'extra-events': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const helpText = `Simulated drone docks that speak to a real MQTT broker until they are stopped.

  --docks N                 how many (default 1, or all of the credentials file)
  --model NAME              ${Object.keys(dockModels).join(', ')} (default dock2)
  --aircraft NAME           ${AIRCRAFT_MODELS.join(', ')}
                            (default: the thermal one of the dock model)
  --sn-prefix TEXT          serial numbers TEXT0001, TEXT0002, ... (default SIM)
  --credentials FILE        JSON [{sn, mqttUser, mqttPassword, bindingCode?, organisationId?, aircraftSn?}]
  --mqtt-url URL            default mqtt://127.0.0.1:1883
  --mqtt-ca FILE            authorities of the broker, PEM, for mqtts:// (default: the public ones)
  --mqtt-user, --mqtt-password
                            default from AERIE_MQTT_USER and AERIE_MQTT_PASSWORD
  --mqtt-version 4|5        4 is MQTT 3.1.1 (default 5)
  --qos 0|1                 of what the docks publish (default 0)
  --keep-session            keep the MQTT session while a dock is away
  --binding-code TEXT, --organisation-id TEXT
                            for docks that are not bound yet
  --speed N                 simulated seconds per second in flight (default 20)
  --position LAT,LON        of the first dock; the others stand around it
  --battery PERCENT         default 94
  --dialect newest|seed     seed has the spellings of protocol 1.3.0
  --ask-resource never|whenMissing|always
                            flighttask_resource_get when a flight begins (default whenMissing)
  --osd-interval DURATION   one telemetry cycle (default 2s)
  --progress-interval DURATION
                            default 2s
  --alarm-percent N         of the health messages of a dock that have an alarm (default 20)
  --media-bytes N           of each file uploaded after a flight, 0 uploads none (default 40000)
  --log-bytes N             of the log of each boot (default 60000)
  --log-boots N             that a dock and its aircraft have logs of when they start (default 5)
  --forget-on-reboot        prepared tasks do not outlive a reboot
  --extra-events            events of no API page around a flight
  --faults LIST             comma separated, each with an optional @probability:
${Object.values(faultForms)
  .map((form) => `                              ${form}`)
  .join('\n')}
  --personality LIST        comma separated:
${Object.entries(PERSONALITIES)
  .map(([name, says]) => `                              ${name}: ${says}`)
  .join('\n')}
  --seed N                  repeats faults, weather and delays (default: from the clock, and printed)
  --duration DURATION       stop after this time, e.g. 60s
  --help
`;

/** Reads the command line. Fails with an `InvalidError` whose message names the option. */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv, nowMs: number): ProgramOptions {
  const values = readFlags(args);
  if (values.help === true) return { kind: 'help' };

  const seed = wholeNumber('seed', values.seed, 0, 2 ** 32 - 1) ?? nowMs % 2 ** 32;
  const mqttUser = values['mqtt-user'] ?? environment['AERIE_MQTT_USER'];
  const mqttPassword = values['mqtt-password'] ?? environment['AERIE_MQTT_PASSWORD'];
  const model = modelOf(values.model);
  const mqttVersion: 4 | 5 = oneOf('mqtt-version', values['mqtt-version'], ['4', '5']) === '4' ? 4 : 5;
  const qos: 0 | 1 = oneOf('qos', values.qos, ['0', '1']) === '1' ? 1 : 0;

  return {
    kind: 'run',
    docks: wholeNumber('docks', values.docks, 1, DOCKS_MAX),
    snPrefix: snPrefix(values['sn-prefix']),
    credentialsFile: values.credentials,
    caFile: values['mqtt-ca'],
    durationMs: duration('duration', values.duration),
    seed,
    common: defined({
      seed,
      model,
      aircraft: oneOf('aircraft', values.aircraft, AIRCRAFT_MODELS),
      mqttUser,
      mqttPassword,
      mqttUrl: mqttUrl(values['mqtt-url']),
      faults: faultList(values.faults),
      personality: personalityList(values.personality),
      mqttVersion,
      qos,
      speed: positiveNumber('speed', values.speed),
      position: position(values.position),
      batteryPercent: wholeNumber('battery', values.battery, 0, 100),
      dialect: oneOf('dialect', values.dialect, ['newest', 'seed'] as const),
      askResource: oneOf('ask-resource', values['ask-resource'], ['never', 'whenMissing', 'always'] as const),
      osdIntervalMs: duration('osd-interval', values['osd-interval']),
      progressIntervalMs: duration('progress-interval', values['progress-interval']),
      alarmPercent: wholeNumber('alarm-percent', values['alarm-percent'], 0, 100),
      mediaBytes: wholeNumber('media-bytes', values['media-bytes'], 0, MEDIA_BYTES_MAX),
      logBytes: wholeNumber('log-bytes', values['log-bytes'], 1, LOG_BYTES_MAX),
      logBoots: wholeNumber('log-boots', values['log-boots'], 1, BOOTS_MAX),
      bindingCode: values['binding-code'],
      organisationId: values['organisation-id'],
      keepsTasksOverReboot: values['forget-on-reboot'] !== true,
      cleanSession: values['keep-session'] !== true,
      extraEvents: values['extra-events'] === true,
    }),
  };
}

/** Reads the text of a credentials file. */
export function parseCredentials(text: string): DockCredential[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new InvalidError('bad_option', '--credentials holds no JSON', { cause });
  }
  if (!Array.isArray(list) || list.length === 0) throw wrong('credentials', 'holds a JSON list with at least one dock');
  return list.map((entry: unknown, position) => {
    const dock = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const text = (name: string): string | undefined => {
      const value = dock[name];
      if (value === undefined || typeof value === 'string') return value;
      throw wrong('credentials', `entry ${position} has a "${name}" that is no text`);
    };
    const sn = text('sn');
    if (sn === undefined) throw wrong('credentials', `entry ${position} has no "sn"`);
    return defined({
      sn,
      mqttUser: text('mqttUser'),
      mqttPassword: text('mqttPassword'),
      bindingCode: text('bindingCode'),
      organisationId: text('organisationId'),
      aircraftSn: text('aircraftSn'),
    });
  });
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Node explains at length; its first sentence names the option.
    const [sentence = ''] = textOf(objectOf(error)['message']).split(/\.\s|\n/);
    throw new InvalidError('bad_option', sentence.replace(/\.$/, ''));
  }
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out what was not given, so that defaults apply. */
function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function wholeNumber(name: string, text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < low || value > high) {
    throw wrong(name, `is a whole number from ${low} to ${high}`);
  }
  return value;
}

function positiveNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw wrong(name, 'is a number above 0 and at most 10000');
  return value;
}

function duration(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = parseDurationMs(text);
  if (value === undefined || value === 0) throw wrong(name, 'is a time such as 250ms, 5s or 2m');
  return value;
}

function oneOf<T extends string>(name: string, text: string | undefined, words: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw wrong(name, `is one of ${words.join(', ')}`);
  return word;
}

function modelOf(text: string | undefined): DockModel | undefined {
  if (text === undefined || isDockModel(text)) return text;
  throw wrong('model', `is one of ${Object.keys(dockModels).join(', ')}`);
}

function mqttUrl(text: string | undefined): string | undefined {
  if (text !== undefined && !/^(mqtts?|wss?):\/\/./.test(text)) {
    throw wrong('mqtt-url', 'starts with mqtt://, mqtts://, ws:// or wss://');
  }
  return text;
}

function faultList(text: string | undefined): string | undefined {
  try {
    parseFaults(text ?? '');
  } catch (error) {
    throw error instanceof InvalidError ? wrong('faults', `has a ${error.message}`) : error;
  }
  return text;
}

function personalityList(text: string | undefined): string | undefined {
  try {
    parsePersonalities(text ?? '');
  } catch (error) {
    throw error instanceof InvalidError ? wrong('personality', error.message.replace('personality ', 'has ')) : error;
  }
  return text;
}

function snPrefix(text = 'SIM'): string {
  if (!/^[A-Za-z0-9_-]{1,48}$/.test(text)) throw wrong('sn-prefix', 'holds 1 to 48 letters, digits, _ or -');
  return text;
}

function position(text: string | undefined): DockOptions['position'] {
  if (text === undefined) return undefined;
  const [latitude = NaN, longitude = NaN, ...rest] = text.split(',').map(Number);
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) || rest.length > 0) {
    throw wrong('position', 'is LATITUDE,LONGITUDE in degrees');
  }
  return { latitude, longitude, heightMeters: 488 };
}

function wrong(name: string, message: string): InvalidError {
  return new InvalidError('bad_option', `--${name} ${message}`, { fields: [{ field: name, message }] });
}
