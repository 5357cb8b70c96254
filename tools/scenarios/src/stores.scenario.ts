import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Redis } from 'ioredis';
import { type MissionView, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '20000' } });
}, 120_000);
afterAll(() => world.stop(), 60_000);

/** How long after its time the execute was on the wire; there is one only. */
function latenessMs({ id, executeAt }: MissionView): number {
  const [execute, ...more] = world.tap.executes(id);
  expect(more).toEqual([]);
  return (execute?.atMs ?? Infinity) - Date.parse(executeAt ?? '');
}

it('C1: starts missions on time after Redis was killed and came back empty', async () => {
  const dock = await world.dock();
  const mission = await world.timed(dock, 8_000);
  await world.inState(mission.id, 'prepared');
  await world.stack.infrastructure.kill('valkey');
  await world.stack.infrastructure.start('valkey');
  const redis = new Redis(world.stack.infrastructure.redisUrl);
  await redis.flushall();
  redis.disconnect();
  await expect(world.ended(mission.id)).resolves.toMatchObject({ state: 'succeeded' });
  expect(latenessMs(mission)).toBeGreaterThanOrEqual(0);
  expect(latenessMs(mission)).toBeLessThan(3_000);
}, 90_000);

it('C5: accepts within a second and starts on time while Redis hangs', async () => {
  const dock = await world.dock();
  world.stack.infrastructure.process('valkey').signal('SIGSTOP');
  try {
    const startedMs = performance.now();
    const mission = await world.timed(dock, 6_000);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await expect(world.ended(mission.id)).resolves.toMatchObject({ state: 'succeeded' });
    expect(latenessMs(mission)).toBeLessThan(3_000);
  } finally {
    world.stack.infrastructure.process('valkey').signal('SIGCONT');
  }
}, 90_000);

it('E1: loses nothing that it accepted when PostgreSQL is killed, and half of nothing', async () => {
  const docks = [await world.dock({ speed: 10 }), await world.dock()];
  const flying = await world.immediate(docks[0] as never);
  await world.inState(flying.id, 'executing', 30_000);
  const waiting = await world.timed(docks[1] as never, 25_000);
  const asked = Array.from({ length: 10 }, (_, index) =>
    world.api
      .post<MissionView>(
        '/missions',
        world.body(docks[1] as never, {
          kind: 'timed',
          executeAt: new Date(Date.now() + (2 + index) * 3_600_000).toISOString(),
        }),
      )
      .catch(() => undefined),
  );
  await world.stack.infrastructure.kill('postgres');
  const answers = await Promise.all(asked);
  await world.stack.infrastructure.start('postgres');

  for (const answer of answers) {
    if (answer?.status !== 201) continue;
    expect(good(await world.api.get<MissionView>(`/missions/${answer.body.id}`))).toMatchObject({ state: 'scheduled' });
  }
  await expect(world.ended(flying.id, 120_000)).resolves.toMatchObject({ state: 'succeeded' });
  await expect(world.ended(waiting.id, 120_000)).resolves.toMatchObject({ state: 'succeeded' });
  expect(world.tap.executes(flying.id)).toHaveLength(1);
  expect(world.tap.executes(waiting.id)).toHaveLength(1);
}, 240_000);

it('boots while PostgreSQL, NATS, valkey and the broker are away, says what it waits for, and works once they are there', async () => {
  const { stack } = world;
  const services = ['fleet-service', 'mission-service', 'credential-service', 'log-service', 'mqtt-ingress'] as const;
  const servers = ['postgres', 'nats', 'valkey', 'mosquitto'] as const;
  await Promise.all(services.map((name) => stack.kill(name)));
  await Promise.all(servers.map((name) => stack.infrastructure.kill(name)));

  const starting = services.map((name) => stack.start(name));
  for (const name of ['fleet-service', 'mission-service', 'credential-service', 'log-service'] as const) {
    await eventually(`${name} waits for PostgreSQL`, async () =>
      (await stack.readiness(name)).includes('waiting for PostgreSQL'),
    );
  }
  await stack.infrastructure.start('postgres');
  await eventually('fleet-service waits for NATS', async () =>
    (await stack.readiness('fleet-service')).includes('waiting for NATS'),
  );
  await Promise.all([stack.infrastructure.start('nats'), stack.infrastructure.start('valkey')]);
  await eventually('fleet-service waits for the broker', async () =>
    (await stack.readiness('fleet-service')).includes('waiting for the MQTT broker'),
  );
  await stack.infrastructure.start('mosquitto');

  await Promise.all(starting);
  const mission = await world.immediate(await world.dock());
  await expect(world.ended(mission.id, 120_000)).resolves.toMatchObject({ state: 'succeeded' });
}, 240_000);
