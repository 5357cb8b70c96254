import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { aircraftSnOf, makeSampleKmz } from '@aerie/dock-simulator';
import mqtt, { type MqttClient } from 'mqtt';
import { Problem } from '../infrastructure/problem.js';
import { Api, type DockConnection, good } from '../stack/api.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { type Cost, Meter, costBetween } from './cost/meter.js';

const OPTIONS = 'Options: --json FILE, --product DIR, --messages N, --docks N';
const IDLE_MS = 20_000;
/** Requests on their way at the same time. */
const POSTING = 16;
const POSTS = 100;
/** So far ahead nothing is prepared while it is measured. */
const LATER_MS = 6 * 60 * 60_000;
const HANDLED_WITHIN_MS = 10 * 60_000;
const POLL_MS = 50;
const HOME = { originLatitude: 46.5197, originLongitude: 6.6323 };

interface Figures {
  readonly perProgress: Cost;
  readonly accept: Cost & { readonly p50Ms: number };
  readonly idle: { readonly docks: number; readonly cpuPercent: number; readonly rssMb: number };
}

/**
 * What things cost, in CPU time, statements, commits and WAL: one progress message out of a fixed backlog, through to
 * its commit; one accepted mission; and the programs at rest without docks. Full-page images are off, so the WAL is
 * that of the rows. `--product DIR` measures another checkout, which must be built; figures of one machine are compared
 * only with others of the same machine and the same minutes.
 */
export async function benchCost(root: string, args: readonly string[]): Promise<number> {
  const { product = root, json, messages, docks } = readOptions(args);
  const directory = path.join(root, '.aerie', 'bench-cost');
  const options = {
    root: path.resolve(product),
    directory,
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: ['shared_preload_libraries=pg_stat_statements', 'full_page_writes=off'],
    say: (text: string): void => console.error(text),
  };
  return withStack(options, async (stack) => {
    const meter = await Meter.open(stack);
    try {
      const figures: Figures = {
        idle: await idle(meter),
        accept: await accept(stack, meter),
        perProgress: await progress(stack, meter, docks, messages),
      };
      console.log(JSON.stringify(figures, null, 2));
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
      return 0;
    } finally {
      await meter.close();
    }
  });
}

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { json: text, product: text, messages: text, docks: text },
    });
    const whole = (name: 'messages' | 'docks', fallback: number, most: number): number => {
      const value = Number(values[name] ?? fallback);
      if (Number.isInteger(value) && value >= 1 && value <= most) return value;
      throw new Error(`--${name} must be a whole number from 1 to ${most}, not "${values[name]}"`);
    };
    return { ...values, messages: whole('messages', 3_000, 100_000), docks: whole('docks', 40, 500) };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\n${OPTIONS}`);
  }
}

async function idle(meter: Meter): Promise<Figures['idle']> {
  const before = await meter.read();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const { cpuMs } = costBetween(before, await meter.read(), 1);
  return {
    docks: 0,
    cpuPercent: Math.round((cpuMs / IDLE_MS) * 1_000) / 10,
    rssMb: Math.round(meter.serviceBytes() / 1_000_000),
  };
}

const uploadRoute = async (api: Api): Promise<string> =>
  good(await api.upload<{ id: string }>('/waylines?name=cost', await makeSampleKmz({ ...HOME, waypoints: 2 }))).id;

async function accept(stack: Stack, meter: Meter): Promise<Figures['accept']> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const waylineId = await uploadRoute(api);
  const sns = Array.from({ length: POSTS }, (_, index) => `COST-POST-${index}`);
  await stack.importDocks(sns.map((sn) => ({ sn, model: 'dock2', name: sn, aircraftSn: aircraftSnOf(sn) })));
  const executeAt = new Date(Date.now() + LATER_MS).toISOString();
  const tookMs: number[] = [];
  const waiting = [...sns];
  const lane = async (): Promise<void> => {
    for (let dockSn = waiting.shift(); dockSn !== undefined; dockSn = waiting.shift()) {
      const startedMs = performance.now();
      const body = { dockSn, waylineId, kind: 'timed', executeAt, rthAltitudeMeters: 60 };
      good(await api.post('/missions', body, { 'idempotency-key': randomUUID() }));
      tookMs.push(performance.now() - startedMs);
    }
  };
  const before = await meter.read();
  await Promise.all(Array.from({ length: POSTING }, lane));
  const cost = costBetween(before, await meter.read(), POSTS);
  tookMs.sort((one, other) => one - other);
  return { ...cost, p50Ms: Math.round(tookMs[tookMs.length >> 1] ?? 0) };
}

async function progress(stack: Stack, meter: Meter, docks: number, messages: number): Promise<Cost> {
  const flights = await startFlights(stack, meter, docks);
  const clients = await Promise.all(flights.map(({ connection }) => connect(connection)));
  const share = Math.ceil(messages / docks);
  const count = (): Promise<number> =>
    meter.query<{ count: string }>('SELECT count(*) FROM mission.inbox').then(([row]) => Number(row?.count));
  const consumer = stack.process('mission-service');
  const already = await count();
  await meter.query('CHECKPOINT');
  const before = await meter.read();
  consumer.signal('SIGSTOP');
  await Promise.all(
    flights.map(async ({ sn, missionId }, index) => {
      for (let sent = 0; sent < share; sent++) {
        await clients[index]?.publishAsync(`thing/product/${sn}/events`, report(sn, missionId), { qos: 1 });
      }
    }),
  );
  consumer.signal('SIGCONT');
  const resumed = await meter.read();
  const endsMs = performance.now() + HANDLED_WITHIN_MS;
  while ((await count()) - already < share * docks) {
    if (performance.now() > endsMs) throw new Problem('The backlog was not handled within ten minutes.');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const after = await meter.read();
  await Promise.all(clients.map((client) => client.endAsync(true)));
  // CPU from the PUBLISH on; the rate is that of the backlog alone.
  const { perSecond } = costBetween(resumed, after, share * docks);
  return { ...costBetween(before, after, share * docks), perSecond };
}

interface Flight {
  readonly sn: string;
  readonly missionId: string;
  readonly connection: DockConnection;
}

/** Missions that fly, written as mission-service would have: their way there is not what is measured. */
async function startFlights(stack: Stack, meter: Meter, docks: number): Promise<Flight[]> {
  const sns = Array.from({ length: docks }, (_, index) => `COST-${index}`);
  const connections = await stack.importDocks(
    sns.map((sn) => ({ sn, model: 'dock2', name: sn, aircraftSn: aircraftSnOf(sn) })),
  );
  const waylineId = await uploadRoute(new Api(stack.apiUrl, stack.apiKey));
  const organisationId = connections[0]?.organisationId;
  const missionIds = sns.map(() => randomUUID());
  await meter.query(
    `INSERT INTO mission.dock (sn, organisation_id, model, protocol_generation)
     SELECT sn, $2, 'dock2', '1.15' FROM unnest($1::text[]) AS sn`,
    [sns, organisationId],
  );
  await meter.query(
    `INSERT INTO mission.mission (id, organisation_id, dock_sn, wayline_id, name, kind, state, revision, execute_at,
       prepare_at, deadline, prepare_count, attempt, undo_count, since, started_at, heard_at, next_action_at,
       rth_altitude_meters, exit_on_rc_lost, positioning, created_by)
     SELECT id, $3, sn, $4, 'cost', 'timed', 'executing', 5, now(), now(), now() + interval '20 s', 1, 1, 0, now(), now(),
            now(), now() + interval '60 s', 60, 'continue', 'gps', 'bench'
       FROM unnest($1::uuid[], $2::text[]) AS flight (id, sn)`,
    [missionIds, sns, organisationId, waylineId],
  );
  return connections.map((connection, index) => ({
    sn: sns[index] ?? '',
    missionId: missionIds[index] ?? '',
    connection,
  }));
}

const connect = ({ mqttUrl, mqttUser, mqttPassword }: DockConnection): Promise<MqttClient> =>
  mqtt.connectAsync(mqttUrl, { username: mqttUser, password: mqttPassword, protocolVersion: 5 });

function report(sn: string, missionId: string): string {
  const ext = { flight_id: missionId, current_waypoint_index: 1, wayline_mission_state: 5, media_count: 1 };
  const output = { status: 'in_progress', progress: { percent: 50, current_step: 24 }, ext };
  return JSON.stringify({
    ...{ bid: missionId, tid: randomUUID(), timestamp: Date.now(), method: 'flighttask_progress', gateway: sn },
    data: { result: 0, output },
  });
}
