import { type ClientReadableStream, Metadata, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import type { DockHandle } from '@aerie/dock-simulator';
import { good, hasEnded } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { PAIRED, type Paired, Pairs } from './pairs.js';
import { randomFrom } from './random.js';
import { type CommandView, type MissionView, type TimelineEntry, World } from './world.js';

/** `npm run test:replicas` takes a hundred, and restarts and kills each replica; a few in each run of the tests. */
const WHOLE = process.env['AERIE_REPLICA_DOCKS'] !== undefined;
const DOCKS = Number(process.env['AERIE_REPLICA_DOCKS'] ?? 12);
const SEED = Number(process.env['AERIE_SEED'] ?? Date.now() % 1_000_000);
const SLOTS = WHOLE ? [0, 1] : [1];
const ENDED_WITHIN_MS = 240_000;

let world: World;
let pairs: Pairs;
let docks: readonly DockHandle[];
const random = randomFrom(SEED);
beforeAll(async () => {
  world = await World.start({
    'mission-service': {
      MISSION_START_WINDOW_MS: '30000',
      // As in earnest: a dock is not given up, or asked again, because a replica was away for some seconds.
      MISSION_REPLY_DEADLINE_MS: '20000',
      MISSION_IMMEDIATE_REPLY_DEADLINE_MS: '20000',
    },
  });
  docks = await world.manyDocks(DOCKS, { osdIntervalMs: 4_000, progressIntervalMs: 2_000, reconnectMs: 250 });
  pairs = await Pairs.start(world.stack, random);
}, 300_000);
afterAll(() => world.stop(), 180_000);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let keys = 0;

interface Flown {
  readonly dock: DockHandle;
  readonly mission: MissionView;
}

/** Each dock flies one mission after the other while `work` is done, and the last ones to their end. */
async function underLoad(work: () => Promise<void>): Promise<Flown[]> {
  const flown: Flown[] = [];
  let over = false;
  const flyAndAsk = async (dock: DockHandle): Promise<void> => {
    // Not all at once: a herd is another story.
    await pause(random() * 4_000);
    do {
      const key = `of-all-${SEED}-${++keys}`;
      const accepted = await pairs.post<MissionView>('/missions', world.body(dock, { kind: 'immediate' }), key);
      const { id } = good(accepted);
      const mission = await eventually(
        `mission ${id} has ended`,
        async () => {
          await pause(1_000);
          // Each service is asked: a stop that does not end its calls shows with all of them.
          good(await pairs.get(`/docks/${dock.sn}/state`));
          good(await pairs.get('/storage'));
          good(await pairs.get(`/log-uploads?limit=1`));
          const view = good(await pairs.get<MissionView>(`/missions/${id}`));
          return hasEnded(view.state) ? view : undefined;
        },
        ENDED_WITHIN_MS,
      );
      flown.push({ dock, mission });
      if (mission.state === 'outcome_unknown') return;
      await pause(random() * 4_000);
    } while (!over);
  };
  const flying = Promise.all(docks.map(flyAndAsk));
  // What fails while the work is done is told after it: nothing may be started while the world is taken down.
  flying.catch(() => undefined);
  try {
    await work();
  } finally {
    over = true;
  }
  await flying;
  return flown;
}

/** Whatever happens to replicas: no flight starts twice, none is forgotten, and no command is another one's repeat. */
function expectLaws(flown: readonly Flown[]): void {
  for (const { dock, mission } of flown) {
    const executes = world.tap.executes(mission.id);
    expect(new Set(executes.map(({ tid }) => tid)).size).toBe(executes.length);
    expect(executes.length).toBeLessThanOrEqual(mission.attempt);
    const takeoffs = dock.takeoffs.filter((id) => id === mission.id).length;
    expect(takeoffs).toBeLessThanOrEqual(1);
    if (mission.state === 'succeeded') expect(takeoffs).toBe(1);
    if (mission.state === 'missed') expect(takeoffs).toBe(0);
    if (mission.state !== 'succeeded') expect(mission.cause).not.toBeNull();
  }
}

/** Nothing happened twice, and nothing was asked twice because an answer got lost. */
async function expectOnceEach(flown: readonly Flown[]): Promise<void> {
  for (const { mission } of flown) {
    expect([mission.id, mission.state, mission.attempt]).toEqual([mission.id, 'succeeded', 1]);
    const commands = good(await pairs.get<{ items: CommandView[] }>(`/missions/${mission.id}/commands`)).items;
    const asked = commands.filter(({ method }) => method === 'flighttask_prepare');
    // On a busy machine a dock may answer later than it is waited for: then it is right to ask again.
    const tooLate = asked.filter((command) => !isAnsweredInTime(command)).length;
    const counts = ['flighttask_prepare', 'flighttask_execute'].map(
      (method) => world.tap.of('services', method, mission.id).length,
    );
    const rightCounts = [asked.length, 1];
    if (asked.length > 1 + tooLate || String(counts) !== String(rightCounts)) console.log(await storyOf(mission));
    expect(asked.length).toBeLessThanOrEqual(1 + tooLate);
    expect(counts).toEqual(rightCounts);
    expect(commands.filter(({ reply }) => reply === null)).toEqual([]);
    const { items } = good(await pairs.get<{ items: TimelineEntry[] }>(`/missions/${mission.id}/timeline`));
    const moves = items.filter(({ kind, from, to }) => kind === 'decision' && from !== to).map(({ to }) => to);
    expect(new Set(moves).size).toBe(moves.length);
    // What is told of a mission that has ended is evidence, and moves it no more.
    const decisions = items.filter(({ kind, from }) => kind === 'decision' && !hasEnded(from ?? ''));
    const versions = decisions.map(({ version }) => version);
    expect(new Set(versions).size).toBe(versions.length);
  }
}

/** Whether the answer was on the wire while it was waited for. */
function isAnsweredInTime({ id, notAfter }: CommandView): boolean {
  const answer = world.tap.of('services_reply', 'flighttask_prepare').find(({ tid }) => tid === id);
  return answer !== undefined && answer.atMs <= Date.parse(notAfter);
}

/** What was on the wire and what the timeline says, for whoever looks for a cause. */
async function storyOf({ id, dockSn }: MissionView): Promise<string> {
  const wire = world.tap.seen
    .filter(({ bid, topic }) => bid === id && topic.includes(dockSn))
    .map(({ topic, method, tid, atMs }) => `${new Date(atMs).toISOString()} ${topic} ${method ?? ''} ${tid ?? ''}`);
  const { items } = good(await pairs.get<{ items: TimelineEntry[] }>(`/missions/${id}/timeline`));
  const lines = items.map(
    ({ at, kind, what, from, to, detail }) =>
      `${at} ${kind} ${what} ${from ?? ''} ${to ?? ''} ${JSON.stringify(detail)}`,
  );
  const commands = good(await pairs.get<{ items: CommandView[] }>(`/missions/${id}/commands`)).items;
  return [...wire, ...lines, JSON.stringify(commands)].join('\n');
}

/** Each event that asks for an answer has one. */
const allAnswered = (): Promise<unknown> =>
  eventually(
    'each event of each dock is answered',
    () => docks.every(({ state }) => state.unansweredEvents === 0),
    60_000,
  );

const tallyOf = (flown: readonly Flown[]): string => {
  const tally = new Map<string, number>();
  for (const { mission } of flown) {
    const how = mission.state === 'succeeded' ? 'succeeded' : `${mission.state} (${mission.cause?.code ?? 'no cause'})`;
    tally.set(how, (tally.get(how) ?? 0) + 1);
  }
  return [...tally].map(([how, count]) => `${count} ${how}`).join(', ');
};

/** Control messages that each ingress has stored. */
const storedByEach = (): Promise<number[]> =>
  Promise.all(
    pairs.of('mqtt-ingress').map(async ({ url }) => {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
      const counts = lines.filter((line) => line.startsWith('ingress_uplinks_total{'));
      return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    }),
  );

it('two ingresses share what docks send; each event is answered once, also when one leaves, and at least once when one is killed', async () => {
  const dock = await world.dock({ sn: 'SHARED', qos: 1, osdIntervalMs: 4_000 });
  /** Says so many things while `work` is done. How often each was answered. */
  const answersTo = async (method: string, count: number, work: () => Promise<unknown>): Promise<number[]> => {
    const tids = Array.from({ length: count }, (_, index) => `${method}-${index}`);
    const saying = (async () => {
      for (const tid of tids) {
        const event = { tid, bid: tid, timestamp: Date.now(), method, need_reply: 1, data: {} };
        dock.publishRaw('thing/product/SHARED/events', JSON.stringify(event));
        await pause(10);
      }
    })();
    await Promise.all([saying, work()]);
    const answers = (): number[] => {
      const seen = world.tap.of('events_reply', method);
      return tids.map((tid) => seen.filter((message) => message.tid === tid).length);
    };
    await eventually('each is answered', () => !answers().includes(0), 30_000);
    return answers();
  };
  const isTwice = (count: number): boolean => count > 1;

  const before = await storedByEach();
  expect((await answersTo('said_to_both', 200, async () => undefined)).filter(isTwice)).toEqual([]);
  const taken = (await storedByEach()).map((stored, slot) => stored - (before[slot] ?? 0));
  console.log(`of 200 events the two ingresses stored ${taken.join(' and ')} messages`);
  // mosquitto gives to each in turn; another broker may give to one as long as that keeps up, so each is alone once below.
  if (world.stack.infrastructure.askingSecret === undefined) {
    expect(taken.filter((count) => count < 20)).toEqual([]);
  }

  const whileItLeaves = await answersTo('said_while_one_leaves', 200, () => pairs.stop('mqtt-ingress', 0));
  expect(whileItLeaves.filter(isTwice)).toEqual([]);
  await pairs.refill('mqtt-ingress', 0);

  const afterKill = await answersTo('said_while_one_is_killed', 200, async () => {
    await pause(500);
    await pairs.kill('mqtt-ingress', 1);
    // The broker keeps what it has given to it for whoever comes under its name.
    await pairs.refill('mqtt-ingress', 1);
  });
  console.log(`a kill: ${afterKill.filter(isTwice).length} of 200 events were answered twice`);
}, 180_000);

it(`a rolling restart of two of each service under load loses nothing, does nothing twice and fails no request (seed ${SEED})`, async () => {
  const before = pairs.failures.length;
  const endings: (string | undefined)[] = [];
  const flown = await underLoad(async () => {
    for (const name of PAIRED) {
      for (const slot of SLOTS) {
        endings.push(await pairs.stop(name, slot));
        await pairs.refill(name, slot);
      }
    }
  });
  await allAnswered();
  console.log(`rolling restart: ${endings.length} restarts, ${pairs.answered} requests answered; ${tallyOf(flown)}`);
  expect(endings.filter((ending) => ending !== 'ended with code 0')).toEqual([]);
  expect(pairs.failures.slice(before)).toEqual([]);
  expectLaws(flown);
  await expectOnceEach(flown);
}, 600_000);

it('an ingress that goes from two to one and back to two loses no reply', async () => {
  const flown = await underLoad(async () => {
    expect(await pairs.stop('mqtt-ingress', 1)).toBe('ended with code 0');
    // One alone carries what is flown meanwhile.
    const seen = world.tap.of('services_reply', 'flighttask_execute').length;
    await eventually(
      'docks are started by the one that is left',
      () => world.tap.of('services_reply', 'flighttask_execute').length > seen + 2,
      60_000,
    );
    await pairs.refill('mqtt-ingress', 1);
    const again = world.tap.of('services_reply', 'flighttask_execute').length;
    await eventually(
      'docks are started by both',
      () => world.tap.of('services_reply', 'flighttask_execute').length > again + 2,
      60_000,
    );
  });
  await allAnswered();
  console.log(`ingress 2 to 1 to 2: ${tallyOf(flown)}`);
  expectLaws(flown);
  await expectOnceEach(flown);
}, 600_000);

it(`each replica that is killed under load costs no flight its only start, and none is forgotten (seed ${SEED})`, async () => {
  const victims: readonly Paired[] = WHOLE ? PAIRED : ['mqtt-ingress', 'fleet-service'];
  const flown = await underLoad(async () => {
    for (const name of victims) {
      for (const slot of SLOTS) {
        await pause(random() * 2_000);
        await pairs.kill(name, slot);
        await pairs.refill(name, slot);
      }
    }
  });
  await allAnswered();
  console.log(`kills of ${victims.length * SLOTS.length} replicas: ${tallyOf(flown)}`);
  expectLaws(flown);
  const succeeded = flown.filter(({ mission }) => mission.state === 'succeeded').length;
  expect(succeeded).toBeGreaterThan(flown.length * 0.8);
}, 900_000);

type Message = Record<string, unknown>;
interface Watcher {
  readonly WatchMission: (request: Message, metadata: Metadata) => ClientReadableStream<{ mission: Message }>;
  readonly close: () => void;
}
interface Loaded {
  readonly mission: { readonly v1: { readonly MissionService: new (address: string, how: unknown) => Watcher } };
}

it('a watch over gRPC sees all of a mission at either replica, whichever of them accepted it', async () => {
  const options = { includeDirs: [PROTO_FOLDER], longs: Number, enums: String, oneofs: true, arrays: true };
  const { mission } = loadPackageDefinition(loadSync(MISSION_PROTO, options)) as unknown as Loaded;
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${world.stack.apiKey}`);
  const replicas = pairs.of('mission-service');
  expect(replicas).toHaveLength(2);
  const watchers = replicas.map(
    ({ grpcAddress }) => new mission.v1.MissionService(grpcAddress ?? '', credentials.createInsecure()),
  );
  const [dock] = docks.filter(({ state }) => state.mode === 'idle');
  if (dock === undefined) throw new Error('each dock is busy');
  const { id } = good(
    await pairs.post<MissionView>('/missions', world.body(dock, { kind: 'immediate' }), `watch-${SEED}-${++keys}`),
  );
  const seen = await Promise.all(
    watchers.map(async (watcher) => {
      const states: Message[] = [];
      for await (const answer of watcher.WatchMission({ id }, metadata))
        states.push((answer as { mission: Message }).mission);
      return states;
    }),
  );
  for (const watcher of watchers) watcher.close();
  for (const states of seen) {
    expect(states.map(({ state }) => state)).toContain('MISSION_STATE_EXECUTING');
    expect(states.at(-1)).toMatchObject({ id, state: 'MISSION_STATE_SUCCEEDED' });
    const versions = states.map(({ version }) => version as number);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  }
}, 120_000);

const DAY_MS = 24 * 60 * 60_000;
const SPACING_MS = 45 * 60_000;
/** Of one figure: requests that are on their way at once, and how many missions are accepted. */
const CALLERS = 16;
const SINGLY = 600;
const BATCHES = 12;

/** Missions of later days that take no dock twice: each call of it is the next. */
let places = 0;
function aFarMission(): Record<string, unknown> {
  const place = places++;
  const dock = docks[place % docks.length];
  const executeAt = new Date(Date.now() + DAY_MS + Math.floor(place / docks.length) * SPACING_MS).toISOString();
  return world.body(dock ?? { sn: '' }, { kind: 'timed', executeAt });
}

async function acceptedPerSecond(doors: readonly string[], calls: number, batch: number | null): Promise<number> {
  let next = 0;
  let accepted = 0;
  const startedMs = performance.now();
  const caller = async (): Promise<void> => {
    for (;;) {
      const call = next++;
      if (call >= calls) return;
      const door = doors[call % doors.length] ?? '';
      const body = batch === null ? aFarMission() : { missions: Array.from({ length: batch }, aFarMission) };
      const answer = await fetch(`${door}/api/v1/missions${batch === null ? '' : '/batch'}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.stack.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (batch === null) expect([answer.status, text]).toEqual([201, text]);
      accepted += batch === null ? 1 : text.split('"status":201').length - 1;
    }
  };
  await Promise.all(Array.from({ length: batch === null ? CALLERS : 2 }, caller));
  expect(accepted).toBe(calls * (batch ?? 1));
  return (accepted * 1_000) / (performance.now() - startedMs);
}

if (WHOLE) {
  it('tells what one replica accepts, and what two accept', async () => {
    const [first, second] = pairs.of('mission-service').map(({ url }) => url);
    if (first === undefined || second === undefined) throw new Error('there are no two replicas');
    const rows: string[] = [];
    for (const [what, calls, batch] of [
      ['singly', SINGLY, null],
      ['in batches', BATCHES, docks.length],
    ] as const) {
      // Once before it counts: connections, plans and caches.
      await acceptedPerSecond([first, second], Math.ceil(calls / 4), batch);
      const one = await acceptedPerSecond([first], calls, batch);
      const two = await acceptedPerSecond([first, second], calls, batch);
      rows.push(`${what}: one replica ${one.toFixed(0)}, two ${two.toFixed(0)} accepted missions a second`);
    }
    console.log(
      `${rows.join('\n')}\nThe two share the same cores with PostgreSQL, the docks and the caller: where these are busy, a ` +
        'second replica adds safety and no speed.',
    );
  }, 600_000);
}
