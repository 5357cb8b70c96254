import type { DockHandle, Fact } from '@aerie/dock-simulator';
import { Api, good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { type LogUploadView, Logs } from './logs.js';
import { type MissionView, World } from './world.js';

/** Docks at once, each asked so many times in a row for a mission and for its logs at the same instant. */
const DOCKS = 10;
const ROUNDS = Number(process.env['AERIE_LOG_RACE_ROUNDS'] ?? 2);

let world: World;
let logs: Logs;
beforeAll(async () => {
  world = await World.start({
    // As in earnest: a mission of these stories may wait for a dock that makes way, and must not fail for a slow machine.
    'mission-service': {
      MISSION_START_WINDOW_MS: '30000',
      MISSION_REPLY_DEADLINE_MS: '10000',
      MISSION_IMMEDIATE_REPLY_DEADLINE_MS: '10000',
      MISSION_START_GRACE_MS: '20000',
    },
    'log-service': { LOG_COLLECT_ON_FAILURE: 'on' },
  });
  logs = new Logs(world);
}, 120_000);
afterAll(() => world.stop(), 60_000);

it('collects the logs of the power cycles of a mission that failed, and attaches them to it, without a hand', async () => {
  const dock = await world.dock({ speed: 60 });
  dock.setFault('fail=321784');
  const { id: missionId } = await world.immediate(dock);
  await expect(world.ended(missionId)).resolves.toMatchObject({ state: 'failed' });
  const upload = await eventually('an upload is attached to the mission', async () => {
    const { items } = good(await world.api.get<{ items: LogUploadView[] }>(`/log-uploads?missionId=${missionId}`));
    return items[0];
  });
  await expect(logs.ended(upload.id)).resolves.toMatchObject({ state: 'stored', missionId });
  const files = await logs.filesOf(`missionId=${missionId}`);
  expect(files.map(({ module }) => module).sort()).toEqual(['aircraft', 'dock']);
  const [flight] = dock.logBoots('0').slice(-1);
  expect(files.find(({ module }) => module === 'aircraft')?.bootIndexes).toContain(flight?.bootIndex);
}, 90_000);

it('makes way for a mission in the middle of an upload, and goes on after it', async () => {
  const dock = await world.dock({ speed: 60 });
  // Slow enough that the mission comes in its middle.
  dock.setSpeed(1);
  const { id } = await logs.request(dock.sn);
  await dock.waitFor('logExportBegan', 20_000);
  const { id: missionId } = await world.immediate(dock);
  await dock.waitFor('logExportEnded', 20_000);
  dock.setSpeed(60);
  await expect(world.ended(missionId)).resolves.toMatchObject({ state: 'succeeded' });
  const upload = await logs.ended(id, 90_000);
  expect(upload).toMatchObject({ state: 'stored', failures: 0 });
  expect(upload.attempts[0]?.cause?.code).toBe('yielded_to_mission');
  expectNeverBoth(dock);
}, 120_000);

it('never begins when a mission of the dock is due before it would be over', async () => {
  const dock = await world.dock({ speed: 60 });
  const { id: missionId } = await world.timed(dock, 12_000);
  const { id } = await logs.request(dock.sn);
  await expect(world.ended(missionId)).resolves.toMatchObject({ state: 'succeeded' });
  await expect(logs.ended(id, 90_000)).resolves.toMatchObject({ state: 'stored', attempt: 1 });
  expectNeverBoth(dock);
}, 120_000);

it(`mission and logs of one dock at the same instant, ${DOCKS * ROUNDS} times over two replicas of each: never both, none forgotten`, async () => {
  const docks = await Promise.all(Array.from({ length: DOCKS }, () => world.dock({ speed: 200, osdIntervalMs: 500 })));
  const replicas = await Promise.all([
    world.stack.startReplica('mission-service', 'race'),
    world.stack.startReplica('log-service', 'race'),
  ]);
  const urlOf = (name: 'mission-service' | 'log-service') => world.stack.metricsUrl(name).replace('/metrics', '');
  const missionApis = [urlOf('mission-service'), replicas[0].url].map((url) => new Api(url, world.stack.apiKey));
  const logApis = [urlOf('log-service'), replicas[1].url].map((url) => new Api(url, world.stack.apiKey));

  const tally = new Map<string, number>();
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  await Promise.all(
    docks.map(async (dock, index) => {
      for (let round = 0; round < ROUNDS; round++) {
        const [missionApi, logApi] = [missionApis[(index + round) % 2] as Api, logApis[(index >> 1) % 2] as Api];
        const { seq = 0 } = dock.facts.at(-1) ?? {};
        // Every other time at the instant at which the upload asks for the dock: by then it has its list.
        const moment = round % 2 === 0 ? Promise.resolve() : dock.waitFor('logListed', 30_000, { after: seq });
        const [mission, upload] = await Promise.all([
          moment.then(() => missionApi.post<MissionView>('/missions', world.body(dock, { kind: 'immediate' }))),
          logApi.post<LogUploadView>('/log-uploads', { dockSn: dock.sn, latest: { count: 1 } }),
        ]);
        const flown = await world.ended(good(mission).id, 120_000);
        const stored = await logs.ended(good(upload).id, 120_000);
        count(`mission ${flown.state}${flown.cause === null ? '' : ` (${flown.cause.code})`}`);
        count(`logs ${stored.state} at attempt ${stored.attempt}`);
        if (flown.state === 'succeeded') expect(dock.takeoffs.filter((id) => id === flown.id)).toEqual([flown.id]);
      }
      expectNeverBoth(dock);
    }),
  );
  console.log([...tally].map(([what, times]) => `${times} ${what}`).join(', '));
  const times = (prefix: string): number =>
    [...tally].reduce((sum, [what, number]) => sum + (what.startsWith(prefix) ? number : 0), 0);
  expect(times('mission succeeded')).toBe(DOCKS * ROUNDS);
  expect(times('logs stored')).toBe(DOCKS * ROUNDS);
}, 1_200_000);

/** By the journal of the dock: no flight from its accepted start to its end overlaps an export from its begin to its end. */
function expectNeverBoth(dock: DockHandle): void {
  const spans = (begins: Fact['name'], ends: readonly Fact['name'][]): readonly (readonly [number, number])[] => {
    const found: [number, number][] = [];
    for (const { name, seq } of dock.facts) {
      if (name === begins) found.push([seq, Infinity]);
      const last = found.at(-1);
      if (ends.includes(name) && last?.[1] === Infinity) last[1] = seq;
    }
    return found;
  };
  const flights = spans('accepted', ['ended']);
  const exports = spans('logExportBegan', ['logExportEnded']);
  expect(flights.length).toBeGreaterThan(0);
  expect(exports.length).toBeGreaterThan(0);
  const both = flights.filter(([from, until]) => exports.some(([begin, end]) => begin < until && from < end));
  expect(both).toEqual([]);
}
