import { randomUUID } from 'node:crypto';
import { aircraftSnOf, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import mqtt, { type MqttClient } from 'mqtt';
import { Problem } from '../../infrastructure/problem.js';
import { type Answer, Api, type DockConnection, good } from '../../stack/api.js';
import { hasEnded } from '../../stack/has-ended.js';
import type { Stack } from '../../stack/stack.js';
import { type Cost, type Meter, type Rates, costBetween, ratesBetween } from './meter.js';
import { untilStored } from './stored.js';

/** After a dock came online. */
const ALL_IS_SAID_MS = 20_000;
/** Requests on their way at the same time. */
const POSTING = 16;
/** So far ahead nothing is prepared while it is measured. */
const LATER_MS = 6 * 60 * 60_000;
const HANDLED_WITHIN_MS = 10 * 60_000;
const POLL_MS = 50;
/** Reports at a trickle: far apart enough that none finds another one in its batch. */
const TRICKLE_EVERY_MS = 100;
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
const ORIGIN = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };

/** What is measured: a running Aerie, and what it costs at rest, which is taken off. */
export interface Measured {
  readonly stack: Stack;
  readonly meter: Meter;
  readonly rest: Rates;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What all programs cost in a second while nobody asks for anything. */
export async function measureRest(meter: Meter, forMs: number): Promise<Rates> {
  const before = await meter.read();
  await pause(forMs);
  return ratesBetween(before, await meter.read());
}

/** The same while docks rest in sight of it, each with the telemetry of a real one. */
export async function measureResting(stack: Stack, meter: Meter, docks: number, forMs: number): Promise<Rates> {
  const sns = numbered('COST-REST', docks);
  const connections = await importDocks(stack, sns);
  const started = await Promise.all(
    connections.map(({ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode }, index) =>
      startDock({
        ...{ sn: sns[index] ?? '', mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        ...{ model: 'dock2', aircraft: 'M3TD', position: HOME, seed: index },
      }),
    ),
  );
  try {
    await Promise.all(started.map((dock) => dock.waitFor('online', HANDLED_WITHIN_MS)));
    return await measureRest(meter, forMs);
  } finally {
    await Promise.all(started.map((dock) => dock.stop()));
  }
}

/** A release whose pool is used up answers 500 or 503: asked again, with the same key, it costs what it costs. */
async function patiently<Body>(ask: () => Promise<Answer<Body>>): Promise<Body> {
  const endsMs = performance.now() + HANDLED_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer.status < 500 || performance.now() > endsMs) return good(answer);
    await pause(POLL_MS);
  }
}

const uploadRoute = async (api: Api): Promise<string> =>
  good(await api.upload<{ id: string }>('/waylines?name=cost', await makeSampleKmz({ ...ORIGIN, waypoints: 2 }))).id;

export const importDocks = (stack: Stack, sns: readonly string[]): Promise<readonly DockConnection[]> =>
  stack.importDocks(sns.map((sn) => ({ sn, model: 'dock2', name: sn, aircraftSn: aircraftSnOf(sn) })));

export const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** One accepted mission that is due hours later. */
export async function measureAccept(
  { stack, meter, rest }: Measured,
  posts: number,
): Promise<Cost & { readonly p50Ms: number }> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const waylineId = await uploadRoute(api);
  const sns = numbered('COST-POST', posts);
  await importDocks(stack, sns);
  const executeAt = new Date(Date.now() + LATER_MS).toISOString();
  const tookMs: number[] = [];
  const waiting = [...sns];
  const lane = async (): Promise<void> => {
    for (let dockSn = waiting.shift(); dockSn !== undefined; dockSn = waiting.shift()) {
      const startedMs = performance.now();
      const body = { dockSn, waylineId, kind: 'timed', executeAt, rthAltitudeMeters: 60 };
      const key = randomUUID();
      await patiently(() => api.post('/missions', body, { 'idempotency-key': key }));
      tookMs.push(performance.now() - startedMs);
    }
  };
  const before = await meter.read();
  await Promise.all(Array.from({ length: POSTING }, lane));
  const cost = costBetween(before, await meter.read(), posts, rest);
  tookMs.sort((one, other) => one - other);
  return { ...cost, p50Ms: Math.round(tookMs[tookMs.length >> 1] ?? 0) };
}

/** Missions accepted in a second when one request asks for many; due hours later, like those that are asked for alone. */
export async function measureBatch({ stack }: Measured, missions: number): Promise<number> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const waylineId = await uploadRoute(api);
  const sns = numbered('COST-BATCH', missions);
  await importDocks(stack, sns);
  const executeAt = new Date(Date.now() + LATER_MS).toISOString();
  const body = {
    allOrNothing: true,
    missions: sns.map((dockSn) => ({ dockSn, waylineId, kind: 'timed', executeAt, rthAltitudeMeters: 60 })),
  };
  const startedMs = performance.now();
  const { results } = good(await api.post<{ results: unknown[] }>('/missions/batch', body));
  return Math.round((results.length * 1_000) / (performance.now() - startedMs));
}

/** One progress message out of a fixed backlog, through to its commit: mission-service stands still while it grows. */
export async function measureProgress(
  { stack, meter, rest }: Measured,
  docks: number,
  messages: number,
): Promise<Cost> {
  const flights = await startFlights(stack, meter, docks, 'COST');
  const clients = await Promise.all(flights.map(({ connection }) => connect(connection)));
  const share = Math.ceil(messages / docks);
  const consumer = stack.process('mission-service');
  const already = await meter.reports();
  await meter.query('CHECKPOINT');
  const before = await meter.read();
  consumer.signal('SIGSTOP');
  try {
    await Promise.all(
      flights.map(async ({ sn, missionId }, index) => {
        for (let sent = 0; sent < share; sent++) {
          await clients[index]?.publishAsync(`thing/product/${sn}/events`, report(sn, missionId), { qos: 1 });
        }
      }),
    );
    await untilStored(
      stack,
      flights.map(({ sn }) => sn),
      share,
      HANDLED_WITHIN_MS,
    );
  } finally {
    consumer.signal('SIGCONT');
  }
  const resumedMs = performance.now();
  await untilReports(meter, already + share * docks);
  const after = await meter.read();
  await Promise.all(clients.map((client) => client.endAsync(true)));
  // CPU from the PUBLISH on; the rate is that of the backlog alone.
  const perSecond = Math.round((share * docks * 1_000) / (after.atMs - resumedMs));
  return { ...costBetween(before, after, share * docks, rest), perSecond };
}

/** One progress message that comes alone. */
export async function measureTrickle({ stack, meter, rest }: Measured, messages: number): Promise<Cost> {
  const [flight] = await startFlights(stack, meter, 1, 'COST-TRICKLE');
  if (flight === undefined) throw new Problem('There is no flight.');
  const client = await connect(flight.connection);
  const already = await meter.reports();
  const before = await meter.read();
  for (let sent = 0; sent < messages; sent++) {
    await client.publishAsync(`thing/product/${flight.sn}/events`, report(flight.sn, flight.missionId), { qos: 1 });
    await pause(TRICKLE_EVERY_MS);
  }
  await untilReports(meter, already + messages);
  const cost = costBetween(before, await meter.read(), messages, rest);
  await client.endAsync(true);
  return cost;
}

/** One message of telemetry, of docks that are told apart. */
export async function measureOsd({ stack, meter, rest }: Measured, docks: number, rounds: number): Promise<Cost> {
  const sns = numbered('COST-OSD', docks);
  const connections = await importDocks(stack, sns);
  const clients = await Promise.all(connections.map(connect));
  const before = await meter.read();
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      clients.map((client, index) =>
        client.publishAsync(`thing/product/${sns[index]}/osd`, osd(sns[index] ?? '', round), { qos: 0 }),
      ),
    );
    await pause(1_000);
  }
  const cost = costBetween(before, await meter.read(), docks * rounds, rest);
  await Promise.all(clients.map((client) => client.endAsync(true)));
  return cost;
}

interface Flown extends Cost {
  readonly flown: number;
  readonly progressMessages: number;
  /** The most first. */
  readonly rowsByTable: Readonly<Record<string, number>>;
  readonly walBytesByStatement: Readonly<Record<string, number>>;
}

/** Tables and statements that are named. */
const MOST = 20;

/** Each mission from the request to its end, measured by nobody. */
export async function warmUp(stack: Stack, meter: Meter, missions: number): Promise<void> {
  const nothing = { cpuMs: 0, statements: 0, commits: 0, walBytes: 0, rows: 0 };
  await measureFlown({ stack, meter, rest: nothing }, missions, 'COST-WARM');
}

/** One mission from the request to its end, with the telemetry of its dock meanwhile. */
export async function measureFlown(
  { stack, meter, rest }: Measured,
  missions: number,
  prefix = 'COST-FLY',
): Promise<Flown> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const waylineId = await uploadRoute(api);
  const sns = numbered(prefix, missions);
  const connections = await importDocks(stack, sns);
  const docks = await Promise.all(
    connections.map(({ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode }, index) =>
      startDock({
        ...{ sn: sns[index] ?? '', mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        ...{ model: 'dock2', aircraft: 'M3TD', position: HOME, seed: index, ...AT_TEN_TIMES },
      }),
    ),
  );
  try {
    await Promise.all(docks.map((dock) => dock.waitFor('online', HANDLED_WITHIN_MS)));
    // The first flight of a dock brings what it says once: its topology, its properties, those of its aircraft.
    await untilReady(api, sns, waylineId);
    await flyAll({ stack, meter }, sns, waylineId);
    await untilReady(api, sns, waylineId);
    const already = await meter.reports();
    const [tablesBefore, walBefore] = [await meter.rowsByTable(), await meter.walByStatement()];
    const before = await meter.read();
    const ended = await flyAll({ stack, meter }, sns, waylineId);
    const after = await meter.read();
    const flown = ended.filter((state) => state === 'succeeded').length;
    if (flown === 0) throw new Problem(`No mission was flown: ${ended.join(', ')}.`);
    const progressMessages = Math.round(((await meter.reports()) - already) / flown);
    const each = (was: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Record<string, number> =>
      Object.fromEntries(
        [...now]
          .map(([name, count]): [string, number] => [
            name,
            Math.round(((count - (was.get(name) ?? 0)) / flown) * 10) / 10,
          ])
          .filter(([, count]) => count > 0)
          .sort(([, one], [, other]) => other - one)
          .slice(0, MOST),
      );
    const rowsByTable = each(tablesBefore, await meter.rowsByTable());
    const walBytesByStatement = each(walBefore, await meter.walByStatement());
    return { ...costBetween(before, after, flown, rest), flown, progressMessages, rowsByTable, walBytesByStatement };
  } finally {
    await Promise.all(docks.map((dock) => dock.stop()));
  }
}

/** Ten times as fast as real flights: a report for each of some 25 steps, and between them one a second. */
const AT_TEN_TIMES = { speed: 10, progressIntervalMs: 10_000, osdIntervalMs: 10_000 } as const;

/** A dock that came online a moment ago has not said yet that it can fly: its mission would be held back for seconds. */
export async function untilReady(api: Api, sns: readonly string[], waylineId: string): Promise<void> {
  const endsMs = performance.now() + HANDLED_WITHIN_MS;
  for (const dockSn of sns) {
    const body = { dockSn, waylineId, kind: 'immediate', rthAltitudeMeters: 80 };
    for (;;) {
      const answer = await api.post<{ verdict: string }>('/missions/preview', body);
      // A release before previews: its docks have said all by then.
      if (answer.status === 404) {
        await pause(ALL_IS_SAID_MS);
        return;
      }
      if (answer.status < 500 && good(answer).verdict === 'go') break;
      if (performance.now() > endsMs) throw new Problem(`${dockSn} is not ready to fly.`);
      await pause(500);
    }
  }
}

/**
 * Flies a mission on each dock, all at once. Returns how they ended. Whoever waits looks into the database: hundreds of
 * missions read over the API each two seconds would be a large part of what is measured.
 */
async function flyAll(
  { stack, meter }: Pick<Measured, 'stack' | 'meter'>,
  sns: readonly string[],
  waylineId: string,
): Promise<string[]> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const ids = await Promise.all(
    sns.map(async (dockSn) => {
      const body = { dockSn, waylineId, kind: 'immediate', rthAltitudeMeters: 80 };
      const key = randomUUID();
      return (await patiently(() => api.post<{ id: string }>('/missions', body, { 'idempotency-key': key }))).id;
    }),
  );
  const endsMs = performance.now() + HANDLED_WITHIN_MS;
  for (;;) {
    await pause(2_000);
    const rows = await meter.query<{ state: string }>('SELECT state FROM mission.mission WHERE id = ANY($1::uuid[])', [
      ids,
    ]);
    const states = rows.map(({ state }) => state);
    if (states.length === ids.length && states.every(hasEnded)) return states;
    if (performance.now() > endsMs)
      throw new Problem(`Not all missions ended within ten minutes: ${states.join(', ')}`);
  }
}

async function untilReports(meter: Meter, count: number): Promise<void> {
  const endsMs = performance.now() + HANDLED_WITHIN_MS;
  while ((await meter.reports()) < count) {
    if (performance.now() > endsMs) throw new Problem('The backlog was not handled within ten minutes.');
    await pause(POLL_MS);
  }
}

export interface Flight {
  readonly sn: string;
  readonly missionId: string;
  readonly connection: DockConnection;
}

/** Missions that fly, written as mission-service would have: their way there is not what is measured. */
export async function startFlights(stack: Stack, meter: Meter, docks: number, prefix: string): Promise<Flight[]> {
  const sns = numbered(prefix, docks);
  const connections = await importDocks(stack, sns);
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

export const connect = ({ mqttUrl, mqttUser, mqttPassword }: DockConnection): Promise<MqttClient> =>
  mqtt.connectAsync(mqttUrl, { username: mqttUser, password: mqttPassword, protocolVersion: 5 });

export function report(sn: string, missionId: string, percent = 50): string {
  const ext = { flight_id: missionId, current_waypoint_index: 1, wayline_mission_state: 5, media_count: 1 };
  const output = { status: 'in_progress', progress: { percent, current_step: 24 }, ext };
  return JSON.stringify({
    ...{ bid: missionId, tid: randomUUID(), timestamp: Date.now(), method: 'flighttask_progress', gateway: sn },
    data: { result: 0, output },
  });
}

function osd(sn: string, round: number): string {
  const data = {
    ...{ mode_code: 0, cover_state: 0, drone_in_dock: 1, flighttask_step_code: 5, putter_state: 0, rainfall: 0 },
    ...{ latitude: HOME.latitude, longitude: HOME.longitude, height: HOME.heightMeters, humidity: 40 },
    environment_temperature: 20 + (round % 3) / 10,
    wind_speed: (round % 5) / 2,
    network_state: { type: 2, quality: 4, rate: 100 + round },
    drone_charge_state: { state: 0, capacity_percent: 95 },
    storage: { total: 30_000_000, used: 1_000_000 },
    position_state: { is_calibration: 1, is_fixed: 2, quality: 5, gps_number: 12, rtk_number: 20 },
  };
  return JSON.stringify({ tid: randomUUID(), bid: randomUUID(), timestamp: Date.now(), gateway: sn, data });
}
