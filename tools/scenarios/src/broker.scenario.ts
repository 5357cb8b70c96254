import { eventually } from '@aerie/testing';
import { CutProxy } from './cut-proxy.js';
import { World } from './world.js';

let world: World;
let proxy: CutProxy;
beforeAll(async () => {
  proxy = await CutProxy.start(() => Number(new URL(world?.stack.infrastructure.mqttUrl ?? brokerUrl).port));
  world = await World.start();
}, 120_000);
afterAll(async () => {
  await world.stop();
  proxy.stop();
}, 60_000);
const brokerUrl = 'mqtt://127.0.0.1:1';

it.each([
  ['before it had read it', false],
  ['after it had read it', true],
])(
  'sends no second execute when the broker dies between the write of execute and its PUBACK, %s',
  async (_when, passOn) => {
    // The ingress reaches the broker through the proxy from here on.
    await world.stack.restartWith('mqtt-ingress', { MQTT_URL: `mqtt://127.0.0.1:${proxy.port}` });
    const dock = await world.dock();
    const struck = new Promise<void>((resolve) =>
      proxy.arm('flighttask_execute', passOn, () => {
        // At the same instant: the broker may or may not have read it, and its PUBACK reaches nobody.
        world.stack.infrastructure.process('mosquitto').signal('SIGKILL');
        proxy.cut();
        resolve();
      }),
    );
    const { id } = await world.immediate(dock);
    await struck;
    await world.stack.infrastructure.process('mosquitto').exited;
    await world.stack.infrastructure.start('mosquitto');
    await eventually('the dock is back', () => dock.state.connected, 30_000);

    const mission = await world.ended(id, 90_000);
    // Truthful, whichever way it went: flown if the broker had passed it on, else missed.
    expect(['succeeded', 'missed']).toContain(mission.state);
    expect(mission.attempt).toBe(1);
    expect(dock.commandsOf('flighttask_execute').length).toBeLessThanOrEqual(1);
    expect(world.tap.executes(id).length).toBeLessThanOrEqual(1);
    expect(mission.state === 'succeeded').toBe(dock.takeoffs.length === 1);
    if (!passOn) expect(mission.state).toBe('missed');
  },
  180_000,
);

it('gives no execute to a dock that drops off before delivery and returns after the deadline', async () => {
  const dock = await world.dock({ cleanSession: false });
  const { id, executeAt } = await world.timed(dock, 5_000);
  await world.inState(id, 'prepared');
  void dock.goOffline();
  const deadlineMs = Date.parse(executeAt ?? '') + 6_000;
  await eventually('the deadline has passed', () => Date.now() > deadlineMs + 1_500, 30_000);
  void dock.goOnline();
  await dock.waitFor('online', 30_000, { after: dock.facts.at(-1)?.seq ?? 0 });

  await expect(world.ended(id, 60_000)).resolves.toMatchObject({ state: 'missed' });
  expect(dock.commandsOf('flighttask_execute')).toHaveLength(0);
}, 120_000);
