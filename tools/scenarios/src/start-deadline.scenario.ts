import type { DockHandle } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Client } from 'pg';
import { type MissionView, World } from './world.js';

/** An immediate mission starts within this time after it was accepted, or not at all. */
const WITHIN_MS = 6_000;

let world: World;
beforeAll(async () => {
  // A prepare waits for its reply longer than the deadline: a repeat would leave after it.
  const env = { MISSION_IMMEDIATE_REPLY_DEADLINE_MS: '10000', MISSION_START_WINDOW_MS: '20000' };
  world = await World.start({ 'mission-service': env });
}, 120_000);
afterAll(() => world.stop(), 60_000);

/** Until the release no command to a dock can be recorded, so none is sent. Missions are accepted as always. */
async function holdCommands(): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: world.stack.infrastructure.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE mission.dock_call IN ACCESS EXCLUSIVE MODE');
  return () => client.end();
}

async function accepted(dock: DockHandle): Promise<MissionView> {
  const body = world.body(dock, { kind: 'immediate', startWithinMs: WITHIN_MS });
  const mission = good(await world.api.post<MissionView>('/missions', body));
  expect(Date.parse(mission.deadline ?? '')).toBeLessThanOrEqual(Date.now() + WITHIN_MS);
  return mission;
}

const past = ({ deadline }: MissionView): Promise<unknown> =>
  eventually('the deadline has passed', () => Date.now() > Date.parse(deadline ?? '') + 500, WITHIN_MS + 5_000);

const onTheWire = (id: string) => ({
  prepares: world.tap.of('services', 'flighttask_prepare', id).length,
  executes: world.tap.executes(id).length,
});

it('never tells a dock of an immediate mission once its deadline passed while mission-service was down', async () => {
  const dock = await world.dock();
  const releaseCommands = await holdCommands();
  const mission = await accepted(dock);
  await world.stack.kill('mission-service');
  await releaseCommands();
  await past(mission);
  await world.stack.start('mission-service');

  await expect(world.ended(mission.id)).resolves.toMatchObject({
    state: 'missed',
    cause: { code: 'start_deadline_passed' },
    deadline: mission.deadline,
  });
  expect(onTheWire(mission.id)).toEqual({ prepares: 0, executes: 0 });
}, 90_000);

it.each([
  ['the ingress', () => world.stack.kill('mqtt-ingress'), () => world.stack.start('mqtt-ingress')],
  ['NATS', () => world.stack.infrastructure.kill('nats'), () => world.stack.infrastructure.start('nats')],
])(
  'never tells a dock of an immediate mission once its deadline passed while %s was down',
  async (_what, kill, start) => {
    const dock = await world.dock();
    const releaseCommands = await holdCommands();
    const mission = await accepted(dock);
    await kill();
    await releaseCommands();
    await past(mission);
    await start();

    await expect(world.ended(mission.id)).resolves.toMatchObject({ state: 'missed', deadline: mission.deadline });
    // Longer than a prepare waits for its reply: then it would be asked again.
    const endedMs = Date.now();
    await eventually('a repeated prepare would be on the wire', () => Date.now() - endedMs > 6_000, 10_000);
    expect(onTheWire(mission.id)).toEqual({ prepares: 0, executes: 0 });
  },
  90_000,
);

it('starts no immediate mission whose dock accepted the prepare, once its deadline passed before anybody read it', async () => {
  const dock = await world.dock({ faults: 'slow-reply:flighttask_prepare=2s' });
  const mission = await accepted(dock);
  await eventually('prepare is on the wire', () => onTheWire(mission.id).prepares === 1);
  await world.stack.kill('mission-service');
  await eventually(
    'the dock has accepted',
    () => world.tap.of('services_reply', 'flighttask_prepare').some(({ bid }) => bid === mission.id),
    10_000,
  );
  await past(mission);
  await world.stack.start('mission-service');

  await expect(world.ended(mission.id)).resolves.toMatchObject({ state: 'missed' });
  expect(onTheWire(mission.id)).toEqual({ prepares: 1, executes: 0 });
  await eventually('the task is taken back', () => dock.state.preparedTasks.length === 0);
}, 90_000);
