import { type DockHandle } from '@aerie/dock-simulator';
import { type Answer, Api, type Replica, good, hasEnded } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { randomFrom } from './random.js';
import { type MissionView, type ProblemView, World } from './world.js';

const MISSIONS = 200;
/** Missions that are open at once: a slow machine then takes longer, instead of falling behind what docks say. */
const OPEN_MISSIONS = 50;
const SEED = Number(process.env['AERIE_SEED'] ?? Date.now() % 1_000_000);

let world: World;
beforeAll(async () => {
  world = await World.start({
    'mission-service': {
      MISSION_START_WINDOW_MS: '30000',
      // As in earnest: a dock is not given up because both replicas were dead for some seconds.
      MISSION_REPLY_DEADLINE_MS: '10000',
      MISSION_IMMEDIATE_REPLY_DEADLINE_MS: '10000',
    },
  });
}, 120_000);
afterAll(() => world.stop(), 120_000);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Caller {
  readonly doors: () => readonly string[];
  readonly random: () => number;
}

/** Asks until somebody has answered: a caller that got no answer repeats with the same key. */
async function answerOf({ doors, random }: Caller, key: string, body: object): Promise<Answer<MissionView>> {
  for (let attempt = 0; attempt < 120; attempt++) {
    const urls = doors();
    const url = urls[Math.floor(random() * urls.length)] ?? world.stack.apiUrl;
    const answer = await new Api(url, world.stack.apiKey)
      .post<MissionView>('/missions', body, { 'idempotency-key': key })
      .catch(() => undefined);
    if (answer !== undefined && answer.status < 500) return answer;
    await pause(250);
  }
  throw new Error(`nobody answered ${key}`);
}

/** Plans a mission, half of them for a time. Where that had passed before anybody answered, it is planned anew. */
async function accept(caller: Caller, name: string, dock: DockHandle): Promise<MissionView> {
  for (let plan = 0; plan < 20; plan++) {
    const { random } = caller;
    const inMs = 5_000 + random() * 20_000;
    const when =
      random() < 0.5 ? { kind: 'timed', executeAt: new Date(Date.now() + inMs).toISOString() } : { kind: 'immediate' };
    const answer = await answerOf(caller, `${name}-${plan}`, world.body(dock, when));
    // Refused for good: if it flew all the same, its dock would take off for a mission that nobody knows.
    const { errors = [] } = answer.body as Partial<ProblemView>;
    if (!errors.some(({ message }) => message.includes('lies in the past'))) return good(answer);
  }
  throw new Error(`nobody accepted ${name}`);
}

it(`two replicas that are killed at random (seed ${SEED}) start each of ${MISSIONS} missions at most once and forget none`, async () => {
  const random = randomFrom(SEED);
  const docks: DockHandle[] = [];
  // A few at a time: each is registered with its own user at the broker.
  for (let next = 0; next < MISSIONS; next += 10) {
    const batch = Array.from({ length: 10 }, () => world.dock({ osdIntervalMs: 4_000, progressIntervalMs: 2_000 }));
    docks.push(...(await Promise.all(batch)));
  }

  const first: { url: string; kill: () => Promise<void> } = {
    url: world.stack.metricsUrl('mission-service').replace('/metrics', ''),
    kill: () => world.stack.kill('mission-service'),
  };
  const replicas: (Pick<Replica, 'url' | 'kill'> | null)[] = [
    first,
    await world.stack.startReplica('mission-service', '2'),
  ];
  const doors = (): string[] => replicas.flatMap((replica) => (replica === null ? [] : [replica.url]));

  let kills = 0;
  let over = false;
  const nemesis = async (): Promise<void> => {
    while (!over) {
      await pause(500 + random() * 2_500);
      const slot = Math.floor(random() * 2);
      const victim = replicas[slot];
      if (over || victim == null) continue;
      replicas[slot] = null;
      await victim.kill();
      kills++;
      replicas[slot] = await world.stack.startReplica('mission-service', `${slot}-${kills}`);
    }
  };
  const nemesisRuns = nemesis();

  const ended: MissionView[] = new Array<MissionView>(MISSIONS);
  const waiting = docks.entries();
  const caller = async (): Promise<void> => {
    for (const [index, dock] of waiting) {
      await pause(random() * 2_000);
      const { id } = await accept({ doors, random }, `mission-${SEED}-${index}`, dock);
      ended[index] = await eventually(
        `mission ${id} has ended`,
        async () => {
          // Fifty callers: asking without a pause would be most of the load.
          await pause(500);
          const [url = world.stack.apiUrl] = doors();
          const { body, status } = await new Api(url, world.stack.apiKey).get<MissionView>(`/missions/${id}`);
          return status === 200 && hasEnded(body.state) ? body : undefined;
        },
        240_000,
      );
    }
  };
  try {
    await Promise.all(Array.from({ length: OPEN_MISSIONS }, caller));
  } finally {
    // Also when a caller gave up: nothing may be started any more while the world is taken down.
    over = true;
    await nemesisRuns;
  }

  const tally = new Map<string, number>();
  for (const { state, cause } of ended) {
    const how = state === 'succeeded' ? state : `${state} (${cause?.code ?? 'no cause'})`;
    tally.set(how, (tally.get(how) ?? 0) + 1);
  }
  console.log(`seed ${SEED}, ${kills} kills: ${[...tally].map(([state, count]) => `${count} ${state}`).join(', ')}`);
  // How many fit into the time is the machine's affair; fewer would show nothing.
  expect(kills).toBeGreaterThanOrEqual(3);
  for (const [index, mission] of ended.entries()) {
    // The witness is a separate subscriber: each execute on the wire, however often we believe to have sent it.
    const executes = world.tap.executes(mission.id);
    expect(new Set(executes.map(({ tid }) => tid)).size).toBe(executes.length);
    expect(executes.length).toBeLessThanOrEqual(mission.attempt);
    const { takeoffs } = docks[index] as DockHandle;
    expect(takeoffs.length).toBeLessThanOrEqual(1);
    expect(takeoffs.filter((id) => id !== mission.id)).toEqual([]);
    if (mission.state === 'succeeded') expect(takeoffs).toEqual([mission.id]);
    if (mission.state === 'missed') expect(takeoffs).toEqual([]);
  }
  expect(tally.get('succeeded') ?? 0).toBeGreaterThan(MISSIONS * 0.8);
}, 900_000);
