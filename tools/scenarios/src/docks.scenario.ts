import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { type MissionView, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '20000' } });
}, 120_000);
afterAll(() => world.stop(), 60_000);

it.concurrent(
  'DK5: executes once with a dock that answers execute only after 20 s',
  async () => {
    const dock = await world.dock({ faults: 'slow-reply:flighttask_execute=20s', speed: 6 });
    const { id } = await world.immediate(dock);
    await eventually(
      'the late reply is on the wire',
      () => world.tap.of('services_reply', 'flighttask_execute', id).length > 0,
      60_000,
    );

    await expect(world.ended(id, 90_000)).resolves.toMatchObject({ state: 'succeeded' });
    expect(world.tap.executes(id)).toHaveLength(1);
  },
  180_000,
);

it.concurrent(
  'prepares three times, undoes and ends as missed with the cause when a dock never answers prepare',
  async () => {
    const dock = await world.dock({ faults: 'silent=flighttask_prepare' });
    const { id } = await world.immediate(dock);

    await expect(world.ended(id, 60_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'prepare_no_reply' },
    });
    await eventually('undo is on the wire', () => world.tap.of('services', 'flighttask_undo', id).length === 1);
    const prepares = world.tap.of('services', 'flighttask_prepare', id);
    expect(prepares).toHaveLength(3);
    const urls = prepares.map(({ data }) => (data['file'] as { url: string }).url);
    expect(new Set(urls).size).toBe(3);
    expect(world.tap.executes(id)).toHaveLength(0);
  },
  90_000,
);

it.concurrent(
  'says at once that a dock is not connected, and misses its mission because of that and of nothing else',
  async () => {
    const sn = 'SCN-NEVER';
    await world.register(sn, 'dock2');
    const planned = good(
      await world.api.post<MissionView & { warnings: { rule: string; message: string }[] }>(
        '/missions',
        world.body({ sn }, { kind: 'immediate' }),
      ),
    );
    expect(planned.warnings).toContainEqual({
      rule: 'dock_seen',
      message: expect.stringContaining('The dock was never heard') as string,
    });
    const waiting = await eventually('the mission knows why it waits', async () => {
      const mission = await world.mission(planned.id);
      return mission.cause !== null && mission;
    });
    expect(waiting).toMatchObject({ state: 'preparing', cause: { code: 'dock_offline', final: false } });
    await expect(world.ended(planned.id, 60_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'dock_offline', final: true, text: { retry: 'on_site' } },
    });
  },
  90_000,
);

it.concurrent(
  'misses a timed mission whose dock never answers prepare',
  async () => {
    const dock = await world.dock({ faults: 'silent=flighttask_prepare' });
    const { id } = await world.timed(dock, 3_000);
    await expect(world.ended(id, 60_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'prepare_no_reply' },
    });
    await eventually('undo is on the wire', () => world.tap.of('services', 'flighttask_undo', id).length > 0);
  },
  90_000,
);

it.concurrent(
  'shows the refusal of a dock with its own code',
  async () => {
    const dock = await world.dock({ faults: 'refuse:flighttask_execute=514134' });
    const { id } = await world.immediate(dock);
    const mission = await world.ended(id, 60_000);
    expect(['rejected', 'missed']).toContain(mission.state);
    expect(mission.cause?.dockResult).toBe(514134);
    expect(dock.takeoffs).toHaveLength(0);
  },
  90_000,
);

it.concurrent(
  'DK4: ends a mission by the truth of its progress when the reply to execute is lost',
  async () => {
    const dock = await world.dock({ faults: 'drop-reply:flighttask_execute' });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    expect(world.tap.executes(id)).toHaveLength(1);
  },
  90_000,
);

it.concurrent(
  'bears duplicated and reordered messages',
  async () => {
    const dock = await world.dock({ faults: 'duplicate,reorder', seed: 7 });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    expect(world.tap.executes(id)).toHaveLength(1);
    expect(dock.takeoffs).toEqual([id]);
  },
  90_000,
);

it.concurrent(
  'ends a flight that failed in the air with the code of the dock',
  async () => {
    const dock = await world.dock({ faults: 'fail=321784' });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'failed', cause: { dockResult: 321784 } });
  },
  90_000,
);

it.concurrent(
  'cuts a retired dock off at once and for good, and frees its aircraft for the dock that replaces it',
  async () => {
    const dock = await world.dock();
    const path = `/docks/${dock.sn}`;
    const aircraftOf = async (sn: string) =>
      good(await world.api.get<{ aircraft: { sn: string } | null }>(`/docks/${sn}`)).aircraft?.sn;
    const aircraftSn = (await eventually('its aircraft is known', () => aircraftOf(dock.sn))) ?? '';
    const other = await world.dock({ aircraftSn });
    await eventually('the aircraft follows the dock that names it last', async () => {
      return (await aircraftOf(other.sn)) === aircraftSn;
    });

    const { id } = await world.timed(dock, 10_000);
    const disconnects = () => dock.facts.filter(({ name }) => name === 'disconnected').length;
    const before = disconnects();
    expect(good(await world.api.post<{ retiredAt: string | null }>(`${path}/retire`)).retiredAt).not.toBeNull();
    await eventually('its connection ends, and each new one is refused', () => disconnects() > before + 1, 20_000);
    const planned = await world.api.post('/missions', world.body(dock, { kind: 'immediate' }));
    expect([planned.status, (planned.body as { code: string }).code]).toEqual([404, 'unknown_dock']);
    // What was planned for it is not started, and says why.
    await expect(world.ended(id, 60_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'dock_retired', final: true },
    });
    expect(world.tap.executes(id)).toHaveLength(0);
  },
  90_000,
);
