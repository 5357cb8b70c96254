import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Problem } from '../infrastructure/problem.js';
import { Api, good } from '../stack/api.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { COUNT_SETTINGS, Meter, type Reading, costBetween } from './cost/meter.js';
import { importDocks, numbered, untilReady } from './cost/stories.js';

const OPTIONS = 'Options: --docks N, --minutes N, --json FILE';
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
/** Slowly along a short route: a quarter of an hour in the air with few photos, whose upload is not what is measured. */
const ROUTE = { waypoints: 14, speedMetersPerSecond: 1 } as const;
/** By then the last one has gone through the steps of its start. */
const SETTLED_AFTER_MS = 30_000;
const IN_THE_AIR_WITHIN_MS = 3 * 60_000;
const LOOK_EVERY_MS = 5_000;
/** What waits half a second for company is no lag. */
const FLAT_MESSAGES = 500;
const MUST_MS = 2.5;
/** A dock and second; each reports every two seconds. */
const LEAST_REPORTS = 0.45;

interface Lag {
  readonly atSeconds: number;
  /** Messages stored and not acknowledged yet. */
  readonly messages: number;
}

/**
 * What docks in the air cost by the second, in real time: each reports its flight every two seconds, and its telemetry and
 * that of its aircraft as often. CPU is that of all programs and servers, nothing taken off. The backlog of what mission-service
 * reads must not grow meanwhile.
 */
export async function benchAir(root: string, args: readonly string[]): Promise<number> {
  const { docks, minutes, json } = readOptions(args);
  const options = {
    root,
    directory: path.join(root, '.aerie', 'bench-air'),
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: COUNT_SETTINGS,
    say: (text: string): void => console.error(text),
  };
  return withStack(options, async (stack) => {
    const meter = await Meter.open(stack);
    try {
      const flying = await takeOff(stack, docks);
      try {
        console.error(`${docks} docks are in the air; measuring for ${minutes} minutes …`);
        const figures = await measure(stack, meter, docks, minutes);
        console.log(JSON.stringify(figures, null, 2));
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
        if (figures.reportsPerDockSecond < LEAST_REPORTS)
          throw new Problem('Not all docks were in the air all the time.');
        if (!figures.lagIsFlat) console.error('The backlog grows.');
        if (figures.cpuMsPerDockSecond > MUST_MS) console.error(`More than ${MUST_MS} ms of CPU a dock and second.`);
        return figures.lagIsFlat && figures.cpuMsPerDockSecond <= MUST_MS ? 0 : 1;
      } finally {
        await flying.land();
      }
    } finally {
      await meter.close();
    }
  });
}

async function takeOff(stack: Stack, docks: number): Promise<{ readonly land: () => Promise<void> }> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const kmz = await makeSampleKmz({
    originLatitude: HOME.latitude,
    originLongitude: HOME.longitude,
    ...ROUTE,
  });
  const waylineId = good(await api.upload<{ id: string }>('/waylines?name=air', kmz)).id;
  const sns = numbered('AIR', docks);
  const connections = await importDocks(stack, sns);
  const started = await Promise.all(
    connections.map(({ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode }, index) =>
      startDock({
        ...{ sn: sns[index] ?? '', mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        ...{ model: 'dock2', aircraft: 'M3TD', position: HOME, seed: index, speed: 1 },
      }),
    ),
  );
  const land = async (): Promise<void> => {
    await Promise.all(started.map((dock) => dock.stop()));
  };
  try {
    await Promise.all(started.map((dock) => dock.waitFor('online', IN_THE_AIR_WITHIN_MS)));
    console.error(`${docks} docks are online; sending them up …`);
    const endsMs = performance.now() + IN_THE_AIR_WITHIN_MS;
    await untilReady(api, sns, waylineId);
    for (const dockSn of sns)
      good(await api.post('/missions', { dockSn, waylineId, kind: 'immediate', rthAltitudeMeters: 80 }));
    for (;;) {
      const flying = await countFlights(api, waylineId);
      if (flying === docks) {
        await pause(SETTLED_AFTER_MS);
        return { land };
      }
      if (performance.now() > endsMs) throw new Problem(`${flying} of ${docks} docks are in the air.`);
      await pause(1_000);
    }
  } catch (error) {
    await land();
    throw error;
  }
}

async function countFlights(api: Api, waylineId: string): Promise<number> {
  let flying = 0;
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: { state: string }[]; nextCursor: string | null } = good(
      await api.get(`/missions?waylineId=${waylineId}&limit=200${after}`),
    );
    flying += page.items.filter(({ state }) => state === 'executing').length;
    cursor = page.nextCursor;
  } while (cursor !== null);
  return flying;
}

async function measure(stack: Stack, meter: Meter, docks: number, minutes: number) {
  const { host, username, password } = new URL(stack.infrastructure.natsUrl);
  const nats = await connect({ servers: [host], user: username, pass: password });
  try {
    const manager = await jetstreamManager(nats);
    const lags: Lag[] = [];
    const before: Reading = await meter.read();
    const reports = await meter.reports();
    const startedMs = performance.now();
    while (performance.now() - startedMs < minutes * 60_000) {
      await pause(LOOK_EVERY_MS);
      const { num_pending, num_ack_pending } = await manager.consumers.info('DOCK', 'mission');
      const atSeconds = Math.round((performance.now() - startedMs) / 1_000);
      lags.push({ atSeconds, messages: num_pending + num_ack_pending });
    }
    const after: Reading = await meter.read();
    const seconds = (after.atMs - before.atMs) / 1_000;
    const cost = costBetween(before, after, docks * seconds);
    const [first, last] = [lags.slice(0, lags.length >> 1), lags.slice(lags.length >> 1)].map((part) =>
      Math.max(0, ...part.map(({ messages }) => messages)),
    ) as [number, number];
    return {
      docks,
      seconds: Math.round(seconds),
      cpuMsPerDockSecond: cost.cpuMs,
      cpuMsByProcess: cost.cpuMsByProcess,
      cpuPercentOfOneCore: Math.round(cost.cpuMs * docks) / 10,
      statementsPerDockSecond: cost.statements,
      commitsPerDockSecond: cost.commits,
      walBytesPerDockSecond: cost.walBytes,
      reportsPerDockSecond: Math.round((((await meter.reports()) - reports) * 1_000) / (docks * seconds)) / 1_000,
      lag: { firstHalf: first, secondHalf: last },
      lagIsFlat: last <= Math.max(first, FLAT_MESSAGES),
    };
  } finally {
    await nats.close();
  }
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
    return { ...values, docks: whole('docks', 300, 1_000), minutes: whole('minutes', 10, 12) };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\n${OPTIONS}`);
  }
}
