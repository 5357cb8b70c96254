import { Redis } from 'ioredis';
import { Client } from 'pg';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(() => world.stop(), 60_000);

it('C1: starts every timed mission on time although Redis was flushed while they waited', async () => {
  const docks = await Promise.all([1, 2, 3, 4].map(() => world.dock()));
  const missions = await Promise.all(docks.map((dock, index) => world.timed(dock, 7_000 + index * 700)));
  await Promise.all(missions.map(({ id }) => world.inState(id, 'prepared')));

  const redis = new Redis(world.stack.infrastructure.redisUrl);
  await redis.flushall();
  redis.disconnect();

  for (const { id, executeAt } of missions) {
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    const executes = world.tap.executes(id);
    expect(executes).toHaveLength(1);
    const lateMs = (executes[0]?.atMs ?? Infinity) - Date.parse(executeAt ?? '');
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(2_000);
  }
}, 120_000);

it('accepts and flies missions while Redis is gone, also when the dock has said nothing of missions for long', async () => {
  const dock = await world.dock();
  await world.stack.infrastructure.kill('valkey');
  const { id } = await world.timed(dock, 6_000);
  await world.inState(id, 'prepared');
  // As if its prepare had been accepted a quarter of an hour ago: only its telemetry says that it is there.
  const database = new Client({ connectionString: world.stack.infrastructure.databaseUrl });
  await database.connect();
  await database.query('UPDATE mission.dock SET heard_at = NULL WHERE sn = $1', [dock.sn]);
  await database.end();

  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  await world.stack.infrastructure.start('valkey');
}, 90_000);
