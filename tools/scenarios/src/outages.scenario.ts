import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DockHandle } from '@aerie/dock-simulator';
import { INFRASTRUCTURE_NAMES, SERVICE_NAMES, hasEnded } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { randomFrom } from './random.js';
import { type MissionView, World, rootFolder } from './world.js';

/** `npm run test:outages` runs twenty; a few in each run of the tests. */
const OUTAGES = Number(process.env['AERIE_OUTAGES'] ?? 3);
const SEED = Number(process.env['AERIE_SEED'] ?? Date.now() % 1_000_000);
const MISSIONS_EACH = 10;
/** The deadline of each mission, by its own override. */
const WITHIN_MS = 10_000;
/** From the write of the ingress to the ear of a witness, on a machine that is busy with restarts. */
const TO_THE_EAR_MS = 1_000;

const PROGRAMS = [...SERVICE_NAMES, ...INFRASTRUCTURE_NAMES] as const;
type Program = (typeof PROGRAMS)[number];

let world: World;
let docks: readonly DockHandle[];
beforeAll(async () => {
  world = await World.start({
    'mission-service': {
      MISSION_START_WINDOW_MS: '20000',
      // An outage must not ground docks for ten minutes.
      MISSION_SILENCE_MS: '4000',
      MISSION_OBSERVE_EVERY_MS: '1000',
      MISSION_UNOBSERVED_MS: '15000',
    },
  });
  docks = await world.manyDocks(MISSIONS_EACH, { osdIntervalMs: 1_000, progressIntervalMs: 1_000, reconnectMs: 250 });
}, 180_000);
afterAll(() => world.stop(), 60_000);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const kill = (program: Program): Promise<void> =>
  isService(program) ? world.stack.kill(program) : world.stack.infrastructure.kill(program);
const start = (program: Program): Promise<void> =>
  isService(program) ? world.stack.start(program) : world.stack.infrastructure.start(program);
const isService = (program: Program): program is (typeof SERVICE_NAMES)[number] =>
  (SERVICE_NAMES as readonly string[]).includes(program);

/** Asks with one key until somebody has answered; undefined when that is refused, or nobody did for as long as it matters. */
async function accepted(dock: DockHandle, key: string): Promise<MissionView | undefined> {
  const body = world.body(dock, { kind: 'immediate', startWithinMs: WITHIN_MS });
  for (let attempt = 0; attempt < 120; attempt++) {
    const answer = await world.api
      .post<MissionView>('/missions', body, { 'idempotency-key': key })
      .catch(() => undefined);
    if (answer?.status === 201) return answer.body;
    if (answer !== undefined && answer.status < 500) return undefined;
    await pause(250);
  }
  return undefined;
}

/** What two witnesses that are none of our programs have heard of a mission: the observer, and the dock itself. */
const heard = (
  dock: DockHandle,
  id: string,
  method: string,
): readonly { readonly tid: string; readonly atMs: number }[] => [
  ...world.tap.of('services', method, id).map(({ tid = '', atMs }) => ({ tid, atMs })),
  ...dock
    .commandsOf(method)
    .filter(({ bid }) => bid === id)
    .map(({ tid, atMs }) => ({ tid, atMs })),
];

interface Flown {
  readonly dock: DockHandle;
  readonly mission: MissionView;
}

async function outage(number: number, random: () => number): Promise<{ victims: readonly Program[]; flown: Flown[] }> {
  const all = number % 7 === 2;
  const victims = all ? PROGRAMS : [PROGRAMS[Math.floor(random() * PROGRAMS.length)] ?? 'mission-service'];
  // Some missions are accepted before it, some while it goes on.
  const asked = docks.map(async (dock, index) => {
    await pause(random() * 1_500);
    const mission = await accepted(dock, `outage-${SEED}-${number}-${index}`);
    return mission === undefined ? [] : [{ dock, mission }];
  });
  await pause(500 + random() * 500);
  await Promise.all(victims.map(kill));
  await pause(2_000 + random() * 12_000);
  // All at once, as a host does it: each waits for what is not there yet.
  await Promise.all(victims.map(start));
  const flown = (await Promise.all(asked)).flat();
  const ended = await Promise.all(flown.map(async ({ dock, mission }) => ({ dock, mission: await endOf(mission.id) })));
  // The next outage finds each dock at rest.
  await eventually('the docks rest', () => docks.every(({ state }) => state.mode === 'idle' && state.online), 120_000);
  return { victims, flown: ended };
}

const endOf = (id: string): Promise<MissionView> =>
  eventually(
    `mission ${id} has ended`,
    async () => {
      await pause(500);
      const answer = await world.api.get<MissionView>(`/missions/${id}`).catch(() => undefined);
      return answer?.status === 200 && hasEnded(answer.body.state) ? answer.body : undefined;
    },
    180_000,
  );

it(
  `no mission that was asked for during ${OUTAGES} outages of random programs (seed ${SEED}) is told or started after its deadline, and none is forgotten`,
  async () => {
    const random = randomFrom(SEED);
    const log: object[] = [];
    const folder = path.join(rootFolder(), '.aerie', 'outages');
    mkdirSync(folder, { recursive: true });
    let accepts = 0;
    for (let number = 0; number < OUTAGES; number++) {
      const { victims, flown } = await outage(number, random);
      accepts += flown.length;
      for (const { dock, mission } of flown) {
        const deadlineMs = Date.parse(mission.deadline ?? '');
        const executes = heard(dock, mission.id, 'flighttask_execute');
        const prepares = heard(dock, mission.id, 'flighttask_prepare');
        const { id, state, cause, deadline } = mission;
        log.push({ seed: SEED, outage: number, victims, id, state, cause: cause?.code, deadline, prepares, executes });
        writeFileSync(path.join(folder, `${SEED}.ndjson`), log.map((line) => `${JSON.stringify(line)}\n`).join(''));
        const late = [...prepares, ...executes].filter(({ atMs }) => atMs >= deadlineMs + TO_THE_EAR_MS);
        expect({ id, victims, late }).toEqual({ id, victims, late: [] });
        expect(new Set(executes.map(({ tid }) => tid)).size).toBeLessThanOrEqual(Math.max(1, mission.attempt));
        expect(dock.takeoffs.filter((flightId) => flightId === id).length).toBeLessThanOrEqual(1);
        if (state === 'missed') expect(dock.takeoffs).not.toContain(id);
      }
    }
    const ends = log.map((line) => (line as { state: string }).state);
    const counts = Object.fromEntries(
      [...new Set(ends)].map((state) => [state, ends.filter((s) => s === state).length]),
    );
    console.log(`seed ${SEED}: ${OUTAGES} outages, ${accepts} missions accepted: ${JSON.stringify(counts)}`);
    // A story without missions would show nothing.
    expect(accepts).toBeGreaterThan(OUTAGES * 2);
  },
  (OUTAGES + 1) * 240_000,
);
