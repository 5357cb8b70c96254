import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startDock } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { COUNT_SETTINGS, Meter, costBetween } from './cost/meter.js';
import { importDocks, numbered } from './cost/stories.js';
import { type Trend, trendOf } from './fleet/trend.js';

const OPTIONS = 'Options: --docks N, --minutes N, --json FILE';
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
/** Docks that come online at the same time: a broker takes the handshakes of so many at once. */
const COMING_AT_ONCE = 50;
const ONLINE_WITHIN_MS = 10 * 60_000;
/** What is remembered of each dock has been filled by then, and compiled what runs often. */
const SETTLED_AFTER_MS = 2 * 60_000;
const LOOK_EVERY_MS = 5_000;
/** More than this of what a program holds, over the time that is measured, is no longer called flat. */
const FLAT_SHARE = 0.1;
/** A program that holds little moves by more than a share of it. */
const FLAT_BYTES = 8_000_000;
const BYTES_PER_MEGABYTE = 1_000_000;

/**
 * Many docks at rest, each with the telemetry of a real one, in real time: what they cost by the second, and whether any
 * program holds more and more memory. CPU is that of all programs and servers, nothing taken off; the simulated docks run in
 * this process, which is not counted.
 */
export async function benchFleet(root: string, args: readonly string[]): Promise<number> {
  const { docks, minutes, json } = readOptions(args);
  const options = {
    root,
    directory: path.join(root, '.aerie', 'bench-fleet'),
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: COUNT_SETTINGS,
    say: (text: string): void => console.error(text),
  };
  return withStack(options, async (stack) => {
    const meter = await Meter.open(stack);
    const fleet = new Fleet(stack);
    try {
      await fleet.comeOnline(docks);
      console.error(`${docks} docks are online; measuring for ${minutes} minutes …`);
      await pause(SETTLED_AFTER_MS);
      const figures = await measure(stack, meter, docks, minutes);
      console.log(JSON.stringify(figures, null, 2));
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
      const growing = Object.entries(figures.memory).filter(([, { isFlat }]) => !isFlat);
      for (const [name] of growing) console.error(`${name} holds more and more memory.`);
      return growing.length === 0 ? 0 : 1;
    } finally {
      await fleet.leave();
      await meter.close();
    }
  });
}

class Fleet {
  private readonly docks: Awaited<ReturnType<typeof startDock>>[] = [];

  constructor(private readonly stack: Stack) {}

  async comeOnline(count: number): Promise<void> {
    const sns = numbered('FLEET', count);
    const connections = await importDocks(this.stack, sns);
    for (let from = 0; from < count; from += COMING_AT_ONCE) {
      const arriving = await Promise.all(
        connections
          .slice(from, from + COMING_AT_ONCE)
          .map(({ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode }, index) =>
            startDock({
              ...{ sn: sns[from + index] ?? '', mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
              ...{ model: 'dock2', aircraft: 'M3TD', position: HOME, seed: from + index, speed: 1 },
            }),
          ),
      );
      this.docks.push(...arriving);
      await Promise.all(arriving.map((dock) => dock.waitFor('online', ONLINE_WITHIN_MS)));
    }
  }

  async leave(): Promise<void> {
    await Promise.all(this.docks.map((dock) => dock.stop()));
  }
}

async function measure(stack: Stack, meter: Meter, docks: number, minutes: number) {
  const samples = new Map<string, { atMs: number; bytes: number }[]>();
  const before = await meter.read();
  const startedMs = performance.now();
  while (performance.now() - startedMs < minutes * 60_000) {
    for (const [name, pid] of Object.entries(stack.pids)) {
      const sample = { atMs: performance.now() - startedMs, bytes: residentBytes(pid) };
      samples.set(name, [...(samples.get(name) ?? []), sample]);
    }
    await pause(LOOK_EVERY_MS);
  }
  const after = await meter.read();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const cost = costBetween(before, after, docks * seconds);
  const shown = ([name, taken]: [string, { atMs: number; bytes: number }[]]) => [name, shownTrend(trendOf(taken))];
  return {
    docks,
    seconds: Math.round(seconds),
    cpuMsPerDockSecond: cost.cpuMs,
    cpuMsByProcess: cost.cpuMsByProcess,
    cpuPercentOfOneCore: Math.round(cost.cpuMs * docks) / 10,
    statementsPerDockSecond: cost.statements,
    walBytesPerDockSecond: cost.walBytes,
    rowsPerDockSecond: cost.rows,
    memory: Object.fromEntries([...samples].map(shown)) as Record<string, ReturnType<typeof shownTrend>>,
  };
}

const inMegabytes = (bytes: number): number => Math.round((bytes / BYTES_PER_MEGABYTE) * 10) / 10;

function shownTrend({ meanBytes, growthBytes, bytesPerMinute }: Trend) {
  return {
    meanMb: inMegabytes(meanBytes),
    growthMb: inMegabytes(growthBytes),
    slopeMbPerHour: inMegabytes(bytesPerMinute * 60),
    isFlat: growthBytes <= Math.max(meanBytes * FLAT_SHARE, FLAT_BYTES),
  };
}

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1_024;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({ args: [...args], options: { docks: text, minutes: text, json: text } });
    const whole = (name: 'docks' | 'minutes', fallback: number, most: number): number => {
      const value = Number(values[name] ?? fallback);
      if (Number.isInteger(value) && value >= 1 && value <= most) return value;
      throw new Error(`--${name} must be a whole number from 1 to ${most}, not "${values[name]}"`);
    };
    return { ...values, docks: whole('docks', 2_000, 5_000), minutes: whole('minutes', 10, 120) };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\n${OPTIONS}`);
  }
}
