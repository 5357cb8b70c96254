import type { DockHandle } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import mqtt from 'mqtt';
import { Logs } from './logs.js';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({
    'mqtt-ingress': { INGRESS_RETAINED_SWEEP_MS: '1000' },
    'mission-service': {
      MISSION_SILENCE_MS: '3000',
      MISSION_OBSERVE_EVERY_MS: '1000',
      MISSION_POWER_ON_MS: '2000',
      MISSION_RESTING_FOR_MS: '5000',
    },
  });
}, 120_000);
afterAll(() => world.stop(), 60_000);

function tellsOf(dock: DockHandle, id: string, status: string): void {
  const output = { status, progress: { percent: 90 }, ext: { flight_id: id } };
  const message = { bid: id, method: 'flighttask_progress', need_reply: 1, data: { result: 0, output } };
  const tid = `${status}-${id}`;
  dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify({ tid, timestamp: Date.now(), ...message }));
}

interface StateView {
  readonly properties: Readonly<Record<string, { readonly value: unknown }>>;
  readonly aircraft: { readonly properties: Readonly<Record<string, { readonly value: unknown }>> } | null;
  readonly notes: readonly { readonly code: string; readonly detail: string | null; readonly count: number }[];
}

const stateOf = async (dock: DockHandle): Promise<StateView> =>
  good(await world.api.get<StateView>(`/docks/${dock.sn}/state`));

it.concurrent(
  'docks that spell their messages in other ways fly, and what an operator has to know is noted on them',
  async () => {
    const ways = ['flat-osd', 'no-gateway', 'alphabetical-keys', 'aircraft-first', 'repeating-state'] as const;
    const docks = await Promise.all(ways.map((personality) => world.dock({ personality })));
    const silentHere = await world.dock({ personality: 'number-statuses', speed: 8 });
    const byOthers = await world.dock();
    byOthers.flyForeign('a-flight-of-others', 8_000);
    const twoFiles = await world.dock({ personality: 'two-files', speed: 200 });

    const [missions, foreign, upload] = await Promise.all([
      Promise.all(docks.map((dock) => world.immediate(dock))),
      world.immediate(silentHere),
      new Logs(world).request(twoFiles.sn, { latest: { count: 2 } }),
    ]);
    // Slow enough to be seen in the air, since it is not told.
    await world.inState(foreign.id, 'executing', 60_000);
    silentHere.setSpeed(60);
    const ends = await Promise.all(missions.map(({ id }) => world.ended(id, 90_000)));
    expect(ends.map(({ state, cause }, index) => [ways[index], state, cause?.code])).toEqual(
      ways.map((way) => [way, 'succeeded', 'reported_by_dock']),
    );

    // Its words for the end cannot be read: the end is seen, and the note says why it was not told.
    await expect(world.ended(foreign.id, 90_000)).resolves.toMatchObject({
      state: 'outcome_unknown',
      cause: { code: 'seen_over' },
    });
    expect((await stateOf(silentHere)).notes).toMatchObject([{ code: 'unknown_flight_status' }]);
    expect((await stateOf(silentHere)).properties['mode_code']?.value).toBe(0);

    const [flat, , , aircraftFirst] = docks;
    if (flat === undefined || aircraftFirst === undefined) throw new Error('a dock is missing');
    const { notes, properties } = await stateOf(flat);
    expect(notes).toMatchObject([{ code: 'flat_properties' }]);
    expect(notes[0]?.count).toBeGreaterThan(3);
    expect(properties['mode_code']?.value).toBe(0);
    expect((await stateOf(aircraftFirst)).aircraft?.properties['home_latitude']).toBeDefined();

    expect((await stateOf(byOthers)).notes).toMatchObject([{ code: 'foreign_flight', detail: 'a-flight-of-others' }]);
    expect(await new Logs(world).ended(upload.id)).toMatchObject({
      state: 'partly_stored',
      cause: { code: 'several_files' },
    });
  },
  180_000,
);

it.concurrent(
  'a dock that opens as soon as it has accepted a mission flies it, at once and at its time',
  async () => {
    const [one, two] = [
      await world.dock({ personality: 'early-opener' }),
      await world.dock({ personality: 'early-opener' }),
    ];
    const missions = [await world.immediate(one), await world.timed(two, 8_000)];
    for (const { id } of missions) await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  },
  120_000,
);

it.concurrent(
  'a dock that is debugged when its mission is due gets no execute, although it had accepted the mission',
  async () => {
    const dock = await world.dock({ personality: 'early-opener' });
    const { id } = await world.timed(dock, 6_000);
    await world.inState(id, 'prepared');
    dock.setProperty('mode_code', 2);
    await expect(world.ended(id, 60_000)).resolves.toMatchObject({ state: 'missed', cause: { code: 'dock_busy' } });
    expect(world.tap.executes(id)).toHaveLength(0);
  },
  90_000,
);

it.concurrent(
  'a flight whose dock never tells the end is over once it is seen home; a late word that it goes on grounds the dock',
  async () => {
    const dock = await world.dock({ personality: 'silent-homecomer' });
    const first = await world.immediate(dock);
    await expect(world.ended(first.id, 90_000)).resolves.toMatchObject({
      state: 'outcome_unknown',
      cause: { code: 'seen_over' },
    });
    expect(dock.state.mode).toBe('idle');

    // The next mission is due, and now the dock says that the first one goes on.
    const next = await world.timed(dock, 6_000);
    await world.inState(next.id, 'prepared');
    tellsOf(dock, first.id, 'in_progress');
    await expect(world.ended(next.id, 60_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'dock_unknown_state' },
    });
    expect(world.tap.executes(next.id)).toHaveLength(0);

    tellsOf(dock, first.id, 'ok');
    await eventually('the dock has told the end', async () => (await world.mission(first.id)).resolution !== null);
    const after = await world.timed(dock, 4_000);
    await world.inState(after.id, 'executing', 60_000);
  },
  240_000,
);

it.concurrent(
  'docks that publish with the retain flag fly, over both versions of MQTT, and the broker keeps nothing of them',
  async () => {
    const docks = await Promise.all(
      [4, 5].map((version) => world.dock({ personality: 'retainer', mqttVersion: version as 4 | 5 })),
    );
    const missions = await Promise.all(docks.map((dock) => world.immediate(dock)));
    for (const { id } of missions) await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    for (const dock of docks) expect(dock.facts.filter(({ name }) => name === 'disconnected')).toEqual([]);

    await Promise.all(docks.map((dock) => dock.stop()));
    const { logins, mqttUrl } = world.stack.infrastructure;
    await eventually('the broker keeps no copy', async () => {
      const { username, password } = logins.observer;
      const late = await mqtt.connectAsync(mqttUrl, { username, password });
      const kept: string[] = [];
      late.on('message', (topic, _payload, { retain }) => void (retain && kept.push(topic)));
      await late.subscribeAsync(['thing/#', 'sys/#']);
      await late.unsubscribeAsync(['thing/#', 'sys/#']);
      await late.endAsync();
      return kept.length === 0;
    });
  },
  120_000,
);
