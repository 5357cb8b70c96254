import { eventually } from '@aerie/testing';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '20000' } });
}, 120_000);
afterAll(() => world.stop(), 60_000);

it('flies a mission whose service was killed between prepare and execute', async () => {
  const dock = await world.dock();
  const { id } = await world.timed(dock, 6_000);
  await world.inState(id, 'prepared');
  await world.stack.kill('mission-service');
  await world.stack.start('mission-service');

  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  expect(dock.commandsOf('flighttask_execute')).toHaveLength(1);
  expect(world.tap.executes(id)).toHaveLength(1);
}, 90_000);

it('flies a mission whose service was killed between execute and its reply', async () => {
  const dock = await world.dock({ faults: 'slow-reply:flighttask_execute=3s' });
  const { id } = await world.immediate(dock);
  await eventually('execute is on the wire', () => world.tap.executes(id).length === 1, 30_000);
  await world.stack.kill('mission-service');
  await world.stack.start('mission-service');

  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  expect(dock.commandsOf('flighttask_execute')).toHaveLength(1);
  expect(world.tap.executes(id)).toHaveLength(1);
}, 90_000);

it('flies a mission whose service was killed right after it was accepted', async () => {
  const dock = await world.dock();
  const { id } = await world.timed(dock, 5_000);
  await world.stack.kill('mission-service');
  await world.stack.start('mission-service');
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  expect(world.tap.executes(id)).toHaveLength(1);
}, 90_000);

it('loses nothing that the ingress had acknowledged when the ingress is killed in flight', async () => {
  const dock = await world.dock({ qos: 1, speed: 10 });
  const { id } = await world.immediate(dock);
  await world.inState(id, 'executing', 30_000);
  await world.stack.kill('mqtt-ingress');
  await world.stack.start('mqtt-ingress');
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  expect(world.tap.executes(id)).toHaveLength(1);
}, 120_000);
