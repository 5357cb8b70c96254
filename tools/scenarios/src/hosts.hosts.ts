import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type DockHandle, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import {
  Api,
  HOST_NAMES,
  type HostName,
  Hosts,
  SERVER_PORTS,
  SERVERS_AT,
  type ServiceName,
  cutOff,
  good,
  hasEnded,
  registerDock,
} from '@aerie/local';
import { eventually } from '@aerie/testing';
import pg from 'pg';
import { randomFrom } from './random.js';
import { Tap } from './tap.js';
import { HOME, type MissionView, rootFolder } from './world.js';

const SEED = Number(process.env['AERIE_SEED'] ?? Date.now() % 1_000_000);
const CUT_MS = Number(process.env['AERIE_CUT_SECONDS'] ?? 30) * 1_000;
const ONLY = process.env['AERIE_CUT'];
const DOCKS = 60;
const CALM_MS = 10_000;
/** From the write of the ingress to the ear of the dock, on a machine that is busy. */
const TO_THE_EAR_MS = 1_000;
/** An event of a dock is taken for lost in the air when it left so shortly before the dock noticed that its line is cut. */
const UNNOTICED_MS = 30_000;

/** As in earnest, but for what an end is waited for: a flight takes seconds here. */
const MISSION_SETTINGS = {
  MISSION_EXECUTE_LEAD_MS: '0',
  MISSION_START_GRACE_MS: '15000',
  MISSION_POWER_ON_MS: '10000',
  MISSION_SILENCE_MS: '20000',
  MISSION_OBSERVE_EVERY_MS: '2000',
  MISSION_RESTING_FOR_MS: '10000',
  MISSION_UNOBSERVED_MS: '90000',
};

interface Cut {
  readonly what: string;
  readonly host: HostName;
  readonly ports?: readonly number[];
}
const ALL_CUTS: readonly Cut[] = [
  { what: 'host b', host: 'b' },
  { what: 'host c', host: 'c' },
  { what: 'NATS from host b', host: 'b', ports: [SERVER_PORTS.nats] },
  { what: 'PostgreSQL from host c', host: 'c', ports: [SERVER_PORTS.postgres] },
  { what: 'the broker from host b', host: 'b', ports: [SERVER_PORTS.mosquitto] },
  { what: 'valkey from host c', host: 'c', ports: [SERVER_PORTS.valkey] },
  { what: `host ${SERVERS_AT}, with PostgreSQL, valkey and the broker`, host: SERVERS_AT },
];
const CUTS = ALL_CUTS.filter(({ what }) => ONLY === undefined || what.startsWith(ONLY));

const PROGRAMS: readonly ServiceName[] = [
  'mqtt-ingress',
  'fleet-service',
  'credential-service',
  'mission-service',
  'log-service',
  'edge',
];

const random = randomFrom(SEED);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let hosts: Hosts;
let database: pg.Pool;
let tap: Tap;
let directory: string;
let waylineId: string;
const docks: DockHandle[] = [];
/** Missions that somebody accepted. */
const accepted = new Map<string, { readonly dock: DockHandle; readonly executeAtMs: number }>();
const busy = new Set<DockHandle>();
const said = new Map<string, { readonly dock: DockHandle; readonly atMs: number }>();

beforeAll(async () => {
  const root = rootFolder();
  const base = path.join(root, '.aerie', 'hosts');
  mkdirSync(base, { recursive: true });
  directory = mkdtempSync(path.join(base, 'run-'));
  hosts = await Hosts.up({
    root,
    directory,
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    env: { 'mission-service': MISSION_SETTINGS, 'log-service': { LOG_COLLECT_ON_FAILURE: 'off' } },
    say: (text) => void process.stderr.write(`${text.trim()}\n`),
  });
  database = new pg.Pool({ connectionString: hosts.databaseUrl, max: 2 });
  database.on('error', () => undefined);
  const { username, password } = hosts.logins.observer;
  tap = await Tap.connect(hosts.mqttUrl, username, password, ['thing/product/+/services']);
  const api = new Api(hosts.doors[SERVERS_AT], hosts.apiKey);
  const origin = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };
  const kmz = await makeSampleKmz({ ...origin, waypoints: 3, aircraft: 'M3TD' });
  waylineId = good(await api.upload<{ id: string }>('/waylines?name=hosts', kmz)).id;
  for (let index = 0; index < DOCKS; index++) {
    const sn = `HST-${String(index).padStart(3, '0')}`;
    const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = await registerDock(api, sn, 'dock2', sn);
    docks.push(
      await startDock({
        ...{ sn, model: 'dock2', mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        ...{ qos: 1, position: HOME, speed: 60, osdIntervalMs: 4_000, progressIntervalMs: 2_000, reconnectMs: 500 },
      }),
    );
  }
  await Promise.all(docks.map((dock) => dock.waitFor('online', 60_000)));
}, 300_000);

afterAll(async () => {
  await Promise.all(docks.map((dock) => dock.stop()));
  await tap?.close();
  await database?.end();
  await hosts?.stop();
  if (process.env['AERIE_KEEP'] === undefined) rmSync(directory, { recursive: true, force: true });
}, 120_000);

/** Asks at one door after the other with the same key, as a caller does that got no answer. */
async function accept(dock: DockHandle, key: string): Promise<string | undefined> {
  const executeAtMs = Date.now() + 8_000 + Math.floor(random() * 6_000);
  const executeAt = new Date(executeAtMs).toISOString();
  const body = JSON.stringify({ dockSn: dock.sn, waylineId, rthAltitudeMeters: 60, kind: 'timed', executeAt });
  const headers = {
    authorization: `Bearer ${hosts.apiKey}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  };
  while (Date.now() < executeAtMs) {
    const door = hosts.doors[HOST_NAMES[Math.floor(random() * HOST_NAMES.length)] ?? 'a'];
    const signal = AbortSignal.timeout(3_000);
    const answer = await fetch(`${door}/api/v1/missions`, { method: 'POST', headers, body, signal }).catch(
      () => undefined,
    );
    if (answer?.status === 201) {
      const { id } = (await answer.json()) as MissionView;
      accepted.set(id, { dock, executeAtMs });
      return id;
    }
    await answer?.text();
    if (answer !== undefined && answer.status < 500) return undefined;
    await pause(200);
  }
  return undefined;
}

/** One mission a second on a dock that rests, and an event of each dock that it says once and never again. */
function keepFlying(): () => Promise<void> {
  let over = false;
  let count = 0;
  const asked: Promise<unknown>[] = [];
  const run = async (): Promise<void> => {
    while (!over) {
      for (const dock of docks) {
        const tid = `${SEED}-said-${++count}-${dock.sn}`;
        const payload = { tid, bid: tid, timestamp: Date.now(), gateway: dock.sn, method: 'hms', data: { list: [] } };
        const left = dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify(payload));
        if (left) said.set(tid, { dock, atMs: Date.now() });
      }
      const resting = docks.filter((dock) => !busy.has(dock) && dock.state.online && dock.state.mode === 'idle');
      const dock = resting[Math.floor(random() * resting.length)];
      if (dock !== undefined) {
        busy.add(dock);
        asked.push(accept(dock, `hosts-${SEED}-${++count}`).then((id) => id === undefined && busy.delete(dock)));
      }
      await pause(1_000);
    }
  };
  // A dock rests again once its mission has ended, whoever knows that.
  const look = async (): Promise<void> => {
    while (!over) {
      await freeDocks().catch(() => undefined);
      await pause(1_000);
    }
  };
  const running = Promise.all([run(), look()]);
  return async () => {
    over = true;
    await running;
    await Promise.all(asked);
  };
}

async function freeDocks(): Promise<void> {
  const { rows } = await database.query<{ dock_sn: string }>(
    `SELECT DISTINCT dock_sn FROM mission.mission WHERE next_action_at IS NOT NULL`,
  );
  const taken = new Set(rows.map(({ dock_sn }) => dock_sn));
  const fresh = new Set(
    [...accepted.values()].filter(({ executeAtMs }) => executeAtMs > Date.now()).map((a) => a.dock),
  );
  for (const dock of busy) if (!taken.has(dock.sn) && !fresh.has(dock)) busy.delete(dock);
}

interface Row {
  readonly id: string;
  readonly dock_sn: string;
  readonly state: string;
  readonly attempt: number;
  readonly deadline: Date;
  readonly execute_at: Date;
  readonly cause_code: string | null;
}

const missions = async (): Promise<Row[]> =>
  (
    await database.query<Row>(
      'SELECT id, dock_sn, state, attempt, deadline, execute_at, cause_code FROM mission.mission ORDER BY execute_at',
    )
  ).rows;

const isReady = async (host: HostName, name: ServiceName): Promise<boolean> => {
  const url = hosts.metricsUrl(host, name).replace(/metrics$/, 'readyz');
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return answer?.ok === true;
};

/** Each program of each host says that it can do its work. Tells which one was last. */
async function allReady(withinMs: number): Promise<string> {
  const startedMs = Date.now();
  let last = 'none';
  await eventually(
    `each program is ready again`,
    async () => {
      for (const host of HOST_NAMES)
        for (const name of PROGRAMS)
          if (!(await isReady(host, name))) {
            last = `${name} at ${host}`;
            return false;
          }
      return true;
    },
    withinMs,
  );
  return `${((Date.now() - startedMs) / 1_000).toFixed(1)} s (${last})`;
}

interface Span {
  readonly cut: Cut;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly readyAfter: string;
}
const spans: Span[] = [];

it(`no mission starts twice or late, and nothing is lost, when packets of a host vanish for ${CUT_MS / 1_000} s (seed ${SEED})`, async () => {
  await allReady(60_000);
  const stop = keepFlying();
  try {
    for (const cut of CUTS) {
      await pause(CALM_MS);
      const heal = cutOff(cut.host, cut.ports);
      const fromMs = Date.now();
      try {
        await pause(CUT_MS);
      } finally {
        heal();
      }
      const untilMs = Date.now();
      spans.push({ cut, fromMs, untilMs, readyAfter: await allReady(120_000) });
    }
    await pause(CALM_MS);
  } finally {
    await stop();
  }
  await eventually(
    'each mission has ended',
    async () => (await missions()).every(({ state }) => hasEnded(state)),
    240_000,
  );
  await eventually('each event is answered', () => docks.every(({ state }) => state.unansweredEvents === 0), 120_000);

  const all = await missions();
  const between = (fromMs: number, untilMs: number): Row[] =>
    all.filter(({ execute_at }) => execute_at.getTime() >= fromMs && execute_at.getTime() < untilMs);
  const lines = spans.map(
    ({ cut, fromMs, untilMs, readyAfter }) =>
      `${cut.what}: due during the cut ${tally(between(fromMs, untilMs))}; in the 20 s after ${tally(between(untilMs, untilMs + 20_000))}; all ready after ${readyAfter}`,
  );
  console.log([`${all.length} missions: ${tally(all)}`, ...lines, await refusals()].join('\n'));

  expect(hosts.ended).toEqual([]);
  expect(all.length).toBeGreaterThan(CUTS.length * 20);
  // Accepted is written.
  const known = new Set(all.map(({ id }) => id));
  expect([...accepted.keys()].filter((id) => !known.has(id))).toEqual([]);
  for (const mission of all) expect(faultsOf(mission)).toEqual([]);
  expect(await lostUplinks()).toEqual([]);
}, 1_800_000);

function tally(rows: readonly Row[]): string {
  const counts = new Map<string, number>();
  for (const { state, cause_code } of rows) {
    const how = state === 'succeeded' ? state : `${state} (${cause_code ?? 'no cause'})`;
    counts.set(how, (counts.get(how) ?? 0) + 1);
  }
  return [...counts].map(([how, count]) => `${count} ${how}`).join(', ') || 'none';
}

/** Why commands did not leave, or why nobody knows whether they did. */
async function refusals(): Promise<string> {
  const { rows } = await database.query<{ method: string; outcome: string; reason: string | null; count: string }>(
    `SELECT method, send_outcome AS outcome, send_reason AS reason, count(*) FROM mission.dock_call
      WHERE send_outcome <> 'written' GROUP BY 1, 2, 3 ORDER BY 4 DESC`,
  );
  return rows.map(({ method, outcome, reason, count }) => `  ${count} ${method} ${outcome}: ${reason}`).join('\n');
}

/** What is not as it was promised of a mission, by what the dock did and what two witnesses heard. */
function faultsOf({ id, dock_sn, state, attempt, deadline, cause_code }: Row): string[] {
  const dock = docks.find(({ sn }) => sn === dock_sn);
  if (dock === undefined) return [`${id}: no dock ${dock_sn}`];
  const heard = [
    ...tap.executes(id).map(({ tid = '', atMs }) => ({ tid, atMs, by: 'a witness' })),
    ...dock
      .commandsOf('flighttask_execute')
      .filter(({ bid }) => bid === id)
      .map((each) => ({ ...each, by: 'the dock' })),
  ];
  const tids = new Set(heard.map(({ tid }) => tid));
  const takeoffs = dock.takeoffs.filter((each) => each === id).length;
  const flown = dock.flightsFlown.find(({ flightId }) => flightId === id);
  const faults: string[] = [];
  const fault = (what: string): void => void faults.push(`${id} at ${dock_sn} is ${state} (${cause_code}): ${what}`);
  if (tids.size > 1) fault(`${tids.size} executes in ${attempt} attempts`);
  if (takeoffs > 1) fault(`${takeoffs} takeoffs`);
  for (const { atMs, by } of heard) {
    if (atMs >= deadline.getTime() + TO_THE_EAR_MS)
      fault(`told ${atMs - deadline.getTime()} ms after its deadline, as heard by ${by}, ${sinceCut(atMs)}`);
  }
  if (state === 'succeeded' && flown?.status !== 'ok') fault(`the dock says ${flown?.status}`);
  if ((state === 'missed' || state === 'rejected') && takeoffs > 0) fault('it flew');
  if (state !== 'succeeded' && state !== 'outcome_unknown' && flown?.status === 'ok') fault('it flew to its end');
  if (state !== 'succeeded' && cause_code === null) fault('it has no cause');
  return faults;
}

const sinceCut = (atMs: number): string =>
  spans
    .filter(({ fromMs }) => fromMs <= atMs)
    .slice(-1)
    .map(
      ({ cut, fromMs, untilMs }) =>
        `${atMs - fromMs} ms after ${cut.what} was cut off and ${atMs - untilMs} ms after it was back`,
    )
    .join() || 'before the first cut';

/** Events that docks said once, on a line that was not cut, and that are not stored once. */
async function lostUplinks(): Promise<string[]> {
  const { rows } = await database.query<{ message_id: string; sn: string; count: string }>(
    `SELECT message_id, sn, count(*) FROM (
       SELECT sn, message_id FROM fleet.inbox UNION ALL SELECT sn, message_id FROM mission.inbox) AS i GROUP BY 1, 2`,
  );
  const stored = new Map(rows.map(({ message_id, count }) => [message_id, Number(count)]));
  const lost: string[] = [];
  let looked = 0;
  for (const [tid, { dock, atMs }] of said) {
    const cutLine = dock.facts.some(
      ({ name, atMs: cutMs }) => name === 'disconnected' && cutMs >= atMs && cutMs - atMs < UNNOTICED_MS,
    );
    if (cutLine) continue;
    looked++;
    if (stored.get(tid) !== 1)
      lost.push(`${tid} at ${new Date(atMs).toISOString()}: stored ${stored.get(tid) ?? 0} times`);
  }
  // What asks for an answer is repeated until it has one, and gets it only when it is stored.
  console.log(`${looked} events of docks were looked for, ${lost.length} are not stored once`);
  return lost;
}
