import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isPortFree } from '@aerie/loopback';
import { type DockHandle, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { endLeftOvers } from '../infrastructure/processes.js';
import { Api, registerDock } from '../stack/api.js';
import { RunLock } from '../stack/run-lock.js';
import { Stack } from '../stack/stack.js';
import { flyMission } from './fly.js';

const DEFAULT_PORT = 8080;
const DOCKS = [
  { sn: 'SIM-DOCK-001', model: 'dock1', name: 'Roof north', aircraft: 'M30' },
  { sn: 'SIM-DOCK-002', model: 'dock2', name: 'Roof south', aircraft: 'M3TD' },
  { sn: 'SIM-DOCK-003', model: 'dock3', name: 'Mast', aircraft: 'M4TD' },
] as const;
/** The dock that flies the first mission. */
const FIRST = 1;
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
const RESTART_DELAY_MS = 500;

/** Brings everything up, flies one mission, and stays until Ctrl-C; with `--once` it ends after the mission. */
export async function start(root: string, args: readonly string[]): Promise<number> {
  const { once, port, speed } = readOptions(args);
  const base = process.env['AERIE_DIRECTORY'] ?? path.join(root, '.aerie');
  const runFile = path.join(base, 'run.json');
  const directory = path.join(base, 'local');
  const lock = RunLock.take(base);
  const stopAsked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  let stack: Stack | undefined;
  const docks: DockHandle[] = [];
  try {
    await endLeftOvers(directory);
    const apiPort = port ?? ((await isPortFree(DEFAULT_PORT)) ? DEFAULT_PORT : undefined);
    const started = Stack.up({
      root,
      directory,
      packagesDirectory: path.join(base, 'bin'),
      ...(apiPort === undefined ? {} : { apiPort }),
      say: (text) => console.log(text),
    });
    stack = await orStop(started, stopAsked);
    if (stack === undefined) {
      // Ctrl-C while starting: let the start finish, or fail, so that nothing is left behind.
      stack = await started.catch(() => undefined);
      return 130;
    }
    const running = stack;
    const saveRun = (): void => writeRun(runFile, running);
    saveRun();
    keepRunning(running, saveRun);

    const api = new Api(running.apiUrl, running.apiKey);
    const flown = await orStop(flyFirst(api, docks, speed), stopAsked);
    if (flown === undefined) return 130;
    if (once) return flown === 'succeeded' ? 0 : 1;
    printWelcome(running, runFile);
    await stopAsked;
    return 0;
  } finally {
    console.log('Stopping …');
    rmSync(runFile, { force: true });
    stopping = true;
    await Promise.all(docks.map((dock) => dock.stop()));
    await stack?.stop();
    lock.release();
    console.log('Stopped.');
  }
}

let stopping = false;

async function flyFirst(api: Api, docks: DockHandle[], speed: number): Promise<string> {
  for (const { sn, model, name, aircraft } of DOCKS) {
    const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = await registerDock(api, sn, model, name);
    docks.push(
      await startDock({
        ...{ sn, model, aircraft, mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        callsign: name,
        position: HOME,
        speed,
      }),
    );
  }
  await Promise.all(docks.map((dock) => dock.waitFor('online', 30_000)));
  console.log(`${docks.length} simulated docks are online`);
  const dock = docks[FIRST];
  if (dock === undefined) throw new Error('there is no dock to fly with');
  const kmz = await makeSampleKmz({
    originLatitude: HOME.latitude,
    originLongitude: HOME.longitude,
    aircraft: DOCKS[FIRST].aircraft,
  });
  return (await flyMission(api, dock, kmz)).state;
}

/** A service or a server that ends by itself is started again, as Kubernetes would. */
function keepRunning(stack: Stack, changed: () => void): void {
  stack.watch((name) => {
    if (stopping) return;
    console.log(`${name} has ended; starting it again`);
    setTimeout(() => {
      if (stopping) return;
      stack.restart(name).then(changed, (error: unknown) => {
        if (!stopping)
          console.error(`could not start ${name} again: ${error instanceof Error ? error.message : String(error)}`);
      });
    }, RESTART_DELAY_MS);
  });
}

function writeRun(file: string, stack: Stack): void {
  const { infrastructure, apiUrl, apiKey, objectStoreUrl, pids } = stack;
  const { databaseUrl, redisUrl, natsUrl, mqttUrl, dockMqttUrl, logins } = infrastructure;
  const run = {
    apiUrl,
    apiKey,
    mqttUrl,
    dockMqttUrl,
    mqttUser: logins.observer.username,
    mqttPassword: logins.observer.password,
    natsUrl,
    databaseUrl,
    redisUrl,
    objectStoreUrl,
    pids: { ...pids, start: process.pid },
  };
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
}

function printWelcome(stack: Stack, runFile: string): void {
  console.log(`
Aerie is up. Ctrl-C stops it.

  API            ${stack.apiUrl}/api/v1
  API key        ${stack.apiKey}
  MQTT (docks)   ${stack.infrastructure.dockMqttUrl}
  object store   ${stack.objectStoreUrl}
  all addresses  ${runFile}
  logs           ${path.join(stack.infrastructure.directory, 'logs')}

  curl -s -H 'Authorization: Bearer ${stack.apiKey}' ${stack.apiUrl}/api/v1/docks
`);
}

/** The value, or undefined when a stop was asked for first. */
const orStop = <Value>(work: Promise<Value>, stopAsked: Promise<void>): Promise<Value | undefined> =>
  Promise.race([work, stopAsked.then(() => undefined)]);

function readOptions(args: readonly string[]): { once: boolean; port: number | undefined; speed: number } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { once: { type: 'boolean' }, port: { type: 'string' }, speed: { type: 'string' } },
    });
    const number = (name: string, text: string | undefined, max: number): number | undefined => {
      if (text === undefined) return undefined;
      const value = Number(text);
      if (!Number.isInteger(value) || value < 1 || value > max)
        throw new Error(`--${name} must be a number from 1 to ${max}`);
      return value;
    };
    return {
      once: values.once ?? false,
      port: number('port', values.port, 65_535),
      speed: number('speed', values.speed, 1_000) ?? 20,
    };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\nOptions: --once, --port PORT, --speed FACTOR`);
  }
}
