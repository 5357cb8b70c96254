import { errorChain, InvalidError } from '@aerie/kernel';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fleetSn } from './fleet.js';
import { offset } from './geo.js';
import { type DockHandle, startDock } from './handle.js';
import type { Fact } from './journal.js';
import { type DockCredential, helpText, parseCredentials, parseOptions, type ProgramOptions } from './options.js';
import { resolveSettings, type DockOptions } from './settings.js';

type Run = Extract<ProgramOptions, { kind: 'run' }>;

/** Thousands of docks in one instant would be a test of the broker's accept queue, not of anything here. */
const START_GAP_MS = 5;
const DOCK_SPACING_METERS = 2_000;
/** Nobody looks back further here, and there may be thousands of docks. */
const JOURNAL_ENTRIES_MAX = 100;

let flightsEnded = 0;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env, Date.now());
  if (options.kind === 'help') {
    console.log(helpText);
    return 0;
  }
  const plans = docksOf(options);
  // All options are looked at before the first dock connects.
  for (const plan of plans) resolveSettings(plan);

  console.log(`seed ${options.seed}, ${plans.length} dock(s), ${options.common.mqttUrl ?? 'mqtt://127.0.0.1:1883'}`);
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  process.once('SIGTERM', () => stopping.abort());
  const stopped = stopAsked(options.durationMs, stopping.signal);

  const docks: DockHandle[] = [];
  for (const plan of plans) {
    if (stopping.signal.aborted) break;
    docks.push(await startDock(plan));
    await sleep(START_GAP_MS);
  }
  await stopped;
  await Promise.all(docks.map((dock) => dock.stop()));
  console.log(`stopped ${docks.length} dock(s) after ${flightsEnded} flight(s); the seed was ${options.seed}`);
  return 0;
}

async function stopAsked(durationMs: number | undefined, signal: AbortSignal): Promise<void> {
  const asked = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  if (durationMs === undefined) return asked;
  await Promise.race([asked, sleep(durationMs, undefined, { signal }).catch(() => undefined)]);
}

function docksOf(options: Run): DockOptions[] {
  const credentials = options.credentialsFile === undefined ? namedDocks(options) : readCredentials(options);
  const ca = options.caFile === undefined ? {} : { mqttCa: readOption('mqtt-ca', options.caFile) };
  return credentials.map((credential, number) => {
    const { latitude, longitude, heightMeters } = options.common.position ?? resolveSettings({ sn: 'any' }).position;
    const place = offset({ latitude, longitude }, 0, DOCK_SPACING_METERS * number);
    return {
      ...options.common,
      ...ca,
      ...credential,
      position: { ...place, heightMeters },
      journalEntriesMax: JOURNAL_ENTRIES_MAX,
      onFact: (fact) => tell(credential.sn, fact),
    };
  });
}

function namedDocks({ docks = 1, snPrefix }: Run): DockCredential[] {
  return Array.from({ length: docks }, (_, number) => ({ sn: fleetSn(snPrefix, number + 1) }));
}

function readCredentials({ credentialsFile = '', docks }: Run): DockCredential[] {
  const all = parseCredentials(readOption('credentials', credentialsFile));
  if (docks !== undefined && docks > all.length) {
    throw new InvalidError('bad_option', `--docks asks for ${docks}, and --credentials has ${all.length}`);
  }
  return all.slice(0, docks);
}

function readOption(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new InvalidError('bad_option', `--${name} names a file that cannot be read`, { cause });
  }
}

function tell(sn: string, fact: Fact): void {
  if (fact.name === 'ended') flightsEnded += 1;
  const detail = Object.entries(fact.detail).map(([name, value]) => `${name}=${value}`);
  console.log([new Date(fact.atMs).toISOString(), sn, fact.name, ...detail].join(' '));
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof InvalidError)) throw error;
  console.error(errorChain(error));
  process.exitCode = 2;
}
