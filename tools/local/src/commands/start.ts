import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type DockHandle, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { endLeftOvers } from '../infrastructure/processes.js';
import { rotateLogs } from '../infrastructure/rotate-logs.js';
import { Api, ApiRefusal, registerDock } from '../stack/api.js';
import { RunLock } from '../stack/run-lock.js';
import { runOf } from '../stack/run.js';
import { Stack } from '../stack/stack.js';
import { flyMission } from './fly.js';

const DEFAULT_PORT = 8080;
const DOCKS = [
  { sn: 'SIM-DOCK-001', model: 'dock1', name: 'Roof north', aircraft: 'M30' },
  { sn: 'SIM-DOCK-002', model: 'dock2', name: 'Roof south', aircraft: 'M3TD' },
  { sn: 'SIM-DOCK-003', model: 'dock3', name: 'Mast', aircraft: 'M4TD' },
] as const;
/** The dock that flies the first mission; the next one when it is not free. */
const FLYING_ORDER = ['SIM-DOCK-002', 'SIM-DOCK-003', 'SIM-DOCK-001'] as const;
const CONFLICT = 409;
const ROTATE_EVERY_MS = 10_000;
/** Longer than any machine needs; then it is told, and Aerie stays up. */
const ONLINE_WITHIN_MS = 120_000;
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };

/** Brings everything up, flies one mission, and stays until Ctrl-C; with `--once` it ends after the mission. */
export async function start(root: string, args: readonly string[]): Promise<number> {
  const { once, port, speed, flight, fresh, keepKey } = readOptions(args);
  const base = process.env['AERIE_DIRECTORY'] ?? path.join(root, '.aerie');
  const runFile = path.join(base, 'run.json');
  const directory = path.join(base, 'local');
  const keyFile = path.join(directory, 'api-key');
  const lock = RunLock.take(base);
  const stopAsked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopAsked.abort());
  // Nobody reads any more, as when a terminal or a pipe is gone: what was started must not stay behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopAsked.abort());
  const { signal } = stopAsked;
  const untilStopAsked = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  let stack: Stack | undefined;
  const docks: DockHandle[] = [];
  try {
    await endLeftOvers(directory);
    if (fresh) rmSync(directory, { recursive: true, force: true });
    const logs = path.join(directory, 'logs');
    const say = sayAndKeep(logs);
    setInterval(() => rotateLogs(logs), ROTATE_EVERY_MS).unref();
    const earlierKey = keepKey ? readKey(keyFile) : undefined;
    stack = await Stack.up({
      root,
      directory,
      packagesDirectory: path.join(base, 'bin'),
      tls: true,
      apiPort: port === undefined ? { port: DEFAULT_PORT, orAny: true } : { port, orAny: false },
      ...(earlierKey === undefined ? {} : { apiKey: earlierKey }),
      say,
      signal,
      onRestarted: () => {
        if (stack !== undefined) writeRun(runFile, stack);
      },
    });
    const running = stack;
    writeRun(runFile, running);
    if (keepKey) writeSecret(keyFile, `${running.apiKey}\n`);
    else rmSync(keyFile, { force: true });

    const flown = await Promise.race([
      showDocks({ running, docks, speed, say }, flight),
      untilStopAsked.then(() => undefined),
    ]);
    if (signal.aborted) return STOPPED;
    if (once) return !flight || flown === 'succeeded' ? 0 : 1;
    printWelcome(running, runFile);
    await untilStopAsked;
    return 0;
  } catch (error) {
    if (signal.aborted) return STOPPED;
    throw error;
  } finally {
    console.log('Stopping …');
    rmSync(runFile, { force: true });
    await Promise.all(docks.map((dock) => dock.stop()));
    await stack?.stop();
    lock.release();
    console.log('Stopped.');
  }
}

/** As a shell says it of a program that was interrupted. */
const STOPPED = 130;

/** On the screen, and with its time in a file beside the logs of the programs. */
function sayAndKeep(logs: string): (text: string) => void {
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const file = path.join(logs, 'start.log');
  return (text) => {
    console.log(text);
    appendFileSync(file, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
  };
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

interface Show {
  readonly running: Stack;
  readonly docks: DockHandle[];
  readonly speed: number;
  readonly say: (text: string) => void;
}

/**
 * Brings the docks online, and flies a mission where that is wanted. Returns the state that it ended in. What cannot be
 * shown is one line: Aerie is up all the same.
 */
async function showDocks({ running, docks, speed, say }: Show, flight: boolean): Promise<string | undefined> {
  const api = new Api(running.apiUrl, running.apiKey);
  try {
    await connectDocks(api, docks, speed, running.infrastructure.certificates?.person.ca);
  } catch (error) {
    say(`The simulated docks are not all online: ${reasonOf(error)}`);
    return undefined;
  }
  return flight ? flyFirst(api, docks, say) : undefined;
}

async function flyFirst(
  api: Api,
  docks: readonly DockHandle[],
  say: (text: string) => void,
): Promise<string | undefined> {
  try {
    for (const sn of FLYING_ORDER) {
      const state = await flyWith(api, docks, sn, say);
      if (state !== undefined) return state;
    }
    say('The demonstration flight was left out: no dock is free.');
    return undefined;
  } catch (error) {
    say(`The demonstration flight was left out: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Undefined where the dock is not free: after a run that was killed, its last mission may not be over. */
async function flyWith(
  api: Api,
  docks: readonly DockHandle[],
  sn: (typeof FLYING_ORDER)[number],
  say: (text: string) => void,
): Promise<string | undefined> {
  const dock = docks.find((each) => each.sn === sn);
  const aircraft = DOCKS.find((each) => each.sn === sn)?.aircraft;
  if (dock === undefined || aircraft === undefined) throw new Error(`dock ${sn} is not there`);
  const origin = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };
  try {
    return (await flyMission(api, dock, await makeSampleKmz({ ...origin, aircraft }))).state;
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.status !== CONFLICT) throw error;
    say(`Dock ${sn} cannot fly the demonstration: ${reasonOf(error)}`);
    return undefined;
  }
}

async function connectDocks(api: Api, docks: DockHandle[], speed: number, mqttCa: string | undefined): Promise<void> {
  for (const { sn, model, name, aircraft } of DOCKS) {
    const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = await registerDock(api, sn, model, name);
    docks.push(
      await startDock({
        ...{ sn, model, aircraft, mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        ...(mqttCa === undefined ? {} : { mqttCa }),
        callsign: name,
        position: HOME,
        speed,
      }),
    );
  }
  await Promise.all(docks.map((dock) => dock.waitFor('online', ONLINE_WITHIN_MS)));
  console.log(`${docks.length} simulated docks are online`);
}

/** What the API says to people; of anything else its first line. */
function reasonOf(error: unknown): string {
  if (error instanceof ApiRefusal) return `${error.detail} (${error.code})`;
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

function writeRun(file: string, stack: Stack): void {
  writeSecret(file, `${JSON.stringify(runOf(stack), null, 2)}\n`);
}

/** Readable by this user alone, also where it replaces a file that is not. */
function writeSecret(file: string, text: string): void {
  rmSync(file, { force: true });
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
}

function printWelcome(stack: Stack, runFile: string): void {
  console.log(`
Aerie is up. Ctrl-C stops it.

  API            ${stack.apiUrl}/api/v1
  API, TLS       ${stack.apiTlsUrl}/api/v1
  API key        ${stack.apiKey}
  MQTT (docks)   ${stack.infrastructure.dockMqttUrl}
  object store   ${stack.objectStoreUrl}
  authority      ${stack.infrastructure.certificates?.ca}
  all addresses  ${runFile}
  logs           ${path.join(stack.infrastructure.directory, 'logs')}

  curl -s -H 'Authorization: Bearer ${stack.apiKey}' ${stack.apiUrl}/api/v1/docks
`);
}

interface StartOptions {
  readonly once: boolean;
  readonly port: number | undefined;
  readonly speed: number;
  readonly flight: boolean;
  readonly fresh: boolean;
  readonly keepKey: boolean;
}

function readOptions(args: readonly string[]): StartOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        port: { type: 'string' },
        speed: { type: 'string', default: '20' },
        'no-flight': { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        'keep-key': { type: 'boolean', default: false },
      },
    });
    return {
      once: values.once,
      port: values.port === undefined ? undefined : numberIn('port', values.port, 1, 65_535),
      speed: numberIn('speed', values.speed, 1, 1_000),
      flight: !values['no-flight'],
      fresh: values.fresh,
      keepKey: values['keep-key'],
    };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\n${START_USAGE}`);
  }
}

function numberIn(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Error(`--${name} must be a whole number from ${from} to ${to}, not "${text}"`);
}

const START_USAGE =
  'Options: --once, --port PORT, --speed FACTOR, --no-flight, --fresh (forget all data), --keep-key (the API key stays)';
