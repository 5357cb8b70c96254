import { rmSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '@aerie/testing';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(() => world.stop(), 60_000);

it('loses nothing that was acknowledged while NATS is stopped for 20 s, and flows again within 5 s', async () => {
  const dock = await world.dock({ qos: 1 });
  const stranger = await world.dock({ qos: 1 });
  const before = await world.mission((await world.immediate(dock)).id);
  await world.ended(before.id);

  await world.stack.infrastructure.kill('nats');
  const stoppedMs = Date.now();
  // Published at QoS 1 while nothing can be stored: the broker keeps them, nobody acknowledges them to it.
  const sent = Array.from({ length: 50 }, (_, index) => `during-${index}`);
  for (const tid of sent) {
    const body = {
      tid,
      bid: tid,
      timestamp: Date.now(),
      method: 'unheard_of',
      need_reply: 1,
      gateway: stranger.sn,
      data: {},
    };
    stranger.publishRaw(`thing/product/${stranger.sn}/events`, JSON.stringify(body));
  }
  await eventually('20 s have passed', () => Date.now() - stoppedMs >= 20_000, 25_000);
  await world.stack.infrastructure.start('nats');
  const backMs = Date.now();

  await eventually(
    'everything that was sent meanwhile is answered',
    () => {
      const answered = new Set(world.tap.of('events_reply', 'unheard_of').map(({ tid }) => tid));
      return sent.every((tid) => answered.has(tid));
    },
    30_000,
  );
  expect(Date.now() - backMs).toBeLessThan(5_000);
  const { id } = await world.immediate(dock);
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
}, 180_000);

it('does not call a flight missed that was flown while nobody read what its dock said', async () => {
  const dock = await world.dock();
  const { id } = await world.immediate(dock);
  await eventually('execute is on the wire', () => world.tap.executes(id).length === 1, 30_000);
  await world.stack.kill('mission-service');
  // It lands, rests in its dock, and its window and the grace after it have long passed.
  await dock.waitFor('ended', 60_000);
  const restsSince = Date.now();
  await eventually('it rests for longer than any start may take', () => Date.now() - restsSince > 12_000, 20_000);
  await world.stack.start('mission-service');
  await expect(world.ended(id, 60_000)).resolves.toMatchObject({ state: 'succeeded' });
}, 150_000);

it('starts a timed mission at its time, once, although NATS was wiped while it waited', async () => {
  const dock = await world.dock({ qos: 1 });
  const { id } = await world.timed(dock, 25_000);
  await world.inState(id, 'prepared');
  await world.stack.infrastructure.kill('nats');
  rmSync(path.join(world.directory, 'nats'), { recursive: true });
  await world.stack.infrastructure.start('nats');
  await expect(world.ended(id, 90_000)).resolves.toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(world.tap.executes(id)).toHaveLength(1);
  expect(dock.takeoffs).toEqual([id]);
}, 150_000);
