import type { DockHandle } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({
    'mission-service': {
      MISSION_START_WINDOW_MS: '20000',
      MISSION_SILENCE_MS: '4000',
      MISSION_OBSERVE_EVERY_MS: '1000',
      MISSION_UNOBSERVED_MS: '12000',
    },
  });
}, 120_000);
afterAll(() => world.stop(), 60_000);

/** A start window that makes a mission which cannot start end soon. */
const SHORT = { startWindowMs: 6_000 };

const sayAs = (dock: DockHandle, channel: string, message: Record<string, unknown>): boolean =>
  dock.publishRaw(`thing/product/${dock.sn}/${channel}`, JSON.stringify({ timestamp: Date.now(), ...message }));
const events = async (id: string, what: string): Promise<number> =>
  (await world.timeline(id)).filter((entry) => entry.kind === 'decision' && entry.what === what).length;

it.concurrent(
  'DK1: a dock that is offline at the time gets nothing, and the mission is missed because of it',
  async () => {
    const dock = await world.dock();
    // Its last word has to be older than half a minute when its time has come.
    const { id } = await world.timed(dock, 36_000, SHORT);
    await world.inState(id, 'prepared');
    await dock.goOffline();
    await expect(world.ended(id, 120_000)).resolves.toMatchObject({ state: 'missed', cause: { code: 'dock_offline' } });
    expect(world.tap.executes(id)).toHaveLength(0);
    dock.goOnline();
  },
  150_000,
);

it.concurrent(
  'DK2: a dock that forgot its task in a reboot is given it again, and starts in a new attempt',
  async () => {
    const dock = await world.dock();
    const { id } = await world.timed(dock, 8_000);
    await world.inState(id, 'prepared');
    dock.forgetTasks();
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(world.tap.of('services', 'flighttask_prepare', id)).toHaveLength(2);
    expect(world.tap.executes(id)).toHaveLength(2);
    expect(dock.takeoffs).toEqual([id]);
  },
  90_000,
);

it.concurrent(
  'DK3: a dock that reboots in flight and forgets it leaves an unknown outcome, which blocks what starts by itself until a person has looked',
  async () => {
    const dock = await world.dock({ keepsTasksOverReboot: false, speed: 20 });
    const { id } = await world.immediate(dock, { waylineId: await world.longRoute(dock) });
    await eventually('it is in the air', () => dock.takeoffs.includes(id), 40_000);
    await world.inState(id, 'executing');
    await dock.reboot();
    await expect(world.ended(id, 120_000)).resolves.toMatchObject({ state: 'outcome_unknown' });
    await eventually('the aircraft is home', () => dock.state.mode === 'idle', 60_000);

    const next = await world.timed(dock, 3_000, SHORT);
    await expect(world.ended(next.id, 60_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'dock_unknown_state', failedRules: expect.arrayContaining(['unknown_outcome']) },
    });
    expect(world.tap.executes(next.id)).toHaveLength(0);

    good(await world.api.post(`/missions/${id}/resolve`, { note: 'it stands in its dock, unharmed' }));
    const after = await world.timed(dock, 4_000);
    await expect(world.ended(after.id, 60_000)).resolves.toMatchObject({ state: 'succeeded' });
  },
  300_000,
);

it.concurrent(
  'DK3: the late terminal of the dock resolves an unknown outcome as well',
  async () => {
    const dock = await world.dock({ faults: 'mute=flying', speed: 20 });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id, 120_000)).resolves.toMatchObject({ state: 'outcome_unknown' });
    const output = { status: 'ok', progress: { percent: 100 }, ext: { flight_id: id } };
    sayAs(dock, 'events', {
      tid: `late-${id}`,
      bid: id,
      method: 'flighttask_progress',
      need_reply: 1,
      data: { result: 0, output },
    });
    const resolved = await eventually('it is resolved', async () => {
      const mission = await world.mission(id);
      return mission.resolution === null ? undefined : mission;
    });
    expect(resolved).toMatchObject({ state: 'outcome_unknown', resolution: { by: 'dock' } });
  },
  200_000,
);

it.concurrent(
  'DK6: of two replies with different results the first one counts',
  async () => {
    const dock = await world.dock({ faults: 'twice-reply:flighttask_execute' });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    const replies = world.tap.of('services_reply', 'flighttask_execute', id);
    expect(replies.length).toBeGreaterThan(1);
    expect(world.tap.executes(id)).toHaveLength(1);
  },
  90_000,
);

it.concurrent(
  'DK7: a reply with an unknown tid, and the reply of another dock, move nothing',
  async () => {
    const dock = await world.dock({ faults: 'drop-reply=flighttask_prepare' });
    const other = await world.dock();
    const { id } = await world.timed(dock, 15_000);
    const prepare = await eventually(
      'prepare is on the wire',
      () => world.tap.of('services', 'flighttask_prepare', id)[0],
    );
    const reply = { bid: id, method: 'flighttask_prepare', data: { result: 0 } };
    sayAs(other, 'services_reply', { ...reply, tid: prepare.tid });
    sayAs(dock, 'services_reply', { ...reply, tid: '99999999-9999-4999-8999-999999999999' });
    // Handled before this one, which is said after them by the same devices.
    sayAs(other, 'events', {
      tid: `fence-${id}`,
      bid: id,
      method: 'flighttask_progress',
      need_reply: 1,
      data: { result: 0, output: { status: 'ok', progress: {}, ext: { flight_id: id } } },
    });
    await eventually('the fence is answered', () =>
      world.tap.seen.some(({ tid, topic }) => tid === `fence-${id}` && topic.endsWith('events_reply')),
    );
    expect(await events(id, 'prepareAccepted')).toBe(0);
    expect((await world.mission(id)).state).toBe('preparing');
    sayAs(dock, 'services_reply', { ...reply, tid: prepare.tid });
    await world.inState(id, 'prepared');
    good(await world.api.post(`/missions/${id}/cancel`));
  },
  60_000,
);

it.concurrent(
  'DK8: a terminal before any progress ends the mission, and progress after it changes nothing',
  async () => {
    const dock = await world.dock({ faults: 'silent=flighttask_execute' });
    const { id } = await world.immediate(dock);
    await eventually('execute is on the wire', () => world.tap.executes(id).length === 1, 30_000);
    const say = (status: string, tid: string): boolean =>
      sayAs(dock, 'events', {
        tid,
        bid: id,
        method: 'flighttask_progress',
        need_reply: 1,
        data: { result: 0, output: { status, progress: {}, ext: { flight_id: id } } },
      });
    say('ok', `end-${id}`);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    say('in_progress', `more-${id}`);
    await eventually('it is answered', () =>
      world.tap.seen.some(({ tid, topic }) => tid === `more-${id}` && topic.endsWith('events_reply')),
    );
    expect((await world.mission(id)).state).toBe('succeeded');
  },
  60_000,
);

it.concurrent(
  'DK10: an event that is said a hundred times is answered each time and has one effect',
  async () => {
    const dock = await world.dock({ faults: 'silent=flighttask_execute' });
    const { id } = await world.immediate(dock);
    await eventually('execute is on the wire', () => world.tap.executes(id).length === 1, 30_000);
    const tid = `again-${id}`;
    const output = { status: 'paused', progress: {}, ext: { flight_id: id } };
    for (let count = 0; count < 100; count++) {
      sayAs(dock, 'events', {
        tid,
        bid: id,
        method: 'flighttask_progress',
        need_reply: 1,
        data: { result: 0, output },
      });
    }
    const answers = (): number =>
      world.tap.seen.filter((seen) => seen.tid === tid && seen.topic.endsWith('events_reply')).length;
    await eventually('every receipt is answered', () => answers() >= 100, 30_000);
    expect(answers()).toBe(100);
    expect(await events(id, 'flightPaused')).toBe(1);
  },
  90_000,
);

interface Preview {
  readonly preflight: { readonly rules: readonly { readonly rule: string; readonly verdict: string }[] };
}

it.concurrent.each(['+40s', '-40s'])(
  'DK11: a dock whose clock is off by %s starts nothing by itself',
  async (skew) => {
    const dock = await world.dock({ faults: `clock-skew=${skew}` });
    // It is measured by telemetry, the first of which comes just after the dock is online.
    await eventually('its clock is measured', async () => {
      const preview = await world.api.post<Preview>('/missions/preview', world.body(dock, { kind: 'immediate' }));
      return good(preview).preflight.rules.some(({ rule, verdict }) => rule === 'clock_skew' && verdict === 'no_go');
    });
    const { id } = await world.timed(dock, 8_000);
    const ended = await world.ended(id, 90_000);
    // A dock that is ahead refuses to prepare what is past by its own clock; whoever says it first, nothing starts.
    expect(['missed', 'rejected']).toContain(ended.state);
    expect(world.tap.executes(id)).toHaveLength(0);
    expect(good(await world.api.get(`/missions/${id}/preflight`))).toMatchObject({
      prepare: { rules: expect.arrayContaining([expect.objectContaining({ rule: 'clock_skew', verdict: 'no_go' })]) },
    });
  },
  120_000,
);

it.concurrent(
  'DK13: a dock that is busy with a flight of somebody else is asked again while the window lasts',
  async () => {
    const dock = await world.dock();
    const { id } = await world.timed(dock, 6_000);
    await world.inState(id, 'prepared');
    dock.flyForeign('started-by-hand', 12_000);
    const ended = await world.ended(id, 90_000);
    expect(ended.state).toBe('succeeded');
    expect(new Set(world.tap.executes(id).map(({ tid }) => tid)).size).toBe(world.tap.executes(id).length);
    expect(world.tap.executes(id).length).toBe(ended.attempt);
    expect(dock.takeoffs).toEqual(['started-by-hand', id]);
  },
  120_000,
);

it.concurrent(
  'DK15: a pilot who takes over ends the mission by the word of the dock, and nothing is started again',
  async () => {
    const dock = await world.dock({ faults: 'takeover=flying' });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id, 90_000)).resolves.toMatchObject({ state: 'failed', cause: { dockResult: 322282 } });
    expect(world.tap.executes(id)).toHaveLength(1);
  },
  120_000,
);

it.concurrent(
  'DK15: an emergency stop that is pressed keeps every mission on the ground',
  async () => {
    const dock = await world.dock({ faults: 'emergency-stop' });
    const { id } = await world.timed(dock, 5_000, SHORT);
    await expect(world.ended(id, 90_000)).resolves.toMatchObject({
      state: 'missed',
      cause: { code: 'preflight_no_go', failedRules: expect.arrayContaining(['emergency_stop']) },
    });
    expect(world.tap.executes(id)).toHaveLength(0);
  },
  120_000,
);

it.concurrent(
  'DK16: a dock that says everything again, under the same and under new tids, changes nothing',
  async () => {
    const dock = await world.dock();
    const { id } = await world.immediate(dock);
    const before = await world.ended(id);
    const said = world.tap.seen.filter(
      ({ topic, bid }) =>
        bid === id && topic.startsWith(`thing/product/${dock.sn}/`) && /\/(events|services_reply)$/.test(topic),
    );
    for (const { topic, method, tid, bid, data } of said) {
      const channel = topic.split('/').at(-1) ?? '';
      sayAs(dock, channel, { tid, bid, method, data });
      sayAs(dock, channel, { tid: `again-${tid}`, bid, method, data });
    }
    sayAs(dock, 'events', {
      tid: `fence-${id}`,
      bid: id,
      method: 'flighttask_progress',
      need_reply: 1,
      data: { result: 0, output: { status: 'in_progress', progress: {}, ext: { flight_id: id } } },
    });
    await eventually('the last is answered', () =>
      world.tap.seen.some(({ tid, topic }) => tid === `fence-${id}` && topic.endsWith('events_reply')),
    );
    const after = await world.mission(id);
    expect({ state: after.state, version: after.version }).toEqual({ state: before.state, version: before.version });
    expect(world.tap.executes(id)).toHaveLength(1);
  },
  90_000,
);

it.concurrent(
  'J5: an undo that is not answered is repeated, and an undo that is answered twice changes nothing',
  async () => {
    const silent = await world.dock({ faults: 'silent=flighttask_undo' });
    const lost = await world.timed(silent, 200_000);
    await world.inState(lost.id, 'prepared');
    good(await world.api.post(`/missions/${lost.id}/cancel`));
    await expect(world.ended(lost.id, 60_000)).resolves.toMatchObject({
      state: 'canceled',
      cause: { code: 'undo_unconfirmed' },
    });
    expect(world.tap.of('services', 'flighttask_undo', lost.id).length).toBeGreaterThan(2);

    const doubled = await world.dock({ faults: 'duplicate' });
    const twice = await world.timed(doubled, 200_000);
    await world.inState(twice.id, 'prepared');
    good(await world.api.post(`/missions/${twice.id}/cancel`));
    await expect(world.ended(twice.id, 30_000)).resolves.toMatchObject({ state: 'canceled' });
    expect(world.tap.executes(twice.id)).toHaveLength(0);
  },
  150_000,
);
