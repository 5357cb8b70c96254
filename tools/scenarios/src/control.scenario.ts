import { good } from '@aerie/local';
import { type DockHandle } from '@aerie/dock-simulator';
import { eventually } from '@aerie/testing';
import { type CommandView, type MissionView, type ProblemView, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '20000' } });
}, 120_000);
afterAll(() => world.stop(), 60_000);

interface Accepted {
  readonly mission: MissionView;
  readonly command: { readonly id: string; readonly method: string };
}

const ask = (id: string, action: string, body: object = {}) =>
  world.api.post<Accepted>(`/missions/${id}/${action}`, body);
const refused = async (id: string, action: string, body: object = {}): Promise<{ status: number; body: ProblemView }> =>
  await world.api.post<ProblemView>(`/missions/${id}/${action}`, body);

/** A flight on its route, slow enough to be asked something. */
async function aFlight(dock: DockHandle): Promise<string> {
  dock.setSpeed(20);
  const { id } = await world.immediate(dock, { waylineId: await world.longRoute(dock) });
  await world.inState(id, 'executing', 40_000);
  await eventually('the aircraft has taken off', () => dock.takeoffs.includes(id), 60_000);
  dock.setSpeed(4);
  await eventually('the aircraft is on its route', () => dock.state.flight?.phase === 'route', 60_000);
  return id;
}

/** Nothing more is asked of it: the rest may go fast. */
function hurry(dock: DockHandle): void {
  dock.setSpeed(60);
}

const answered = (id: string, method: string): Promise<CommandView> =>
  eventually(`${method} is answered`, async () =>
    (await world.commands(id)).find((command) => command.method === method && command.reply !== null),
  );

it.concurrent(
  'pauses a flight and goes on with it, and keeps who asked and why',
  async () => {
    const dock = await world.dock({ speed: 6 });
    const id = await aFlight(dock);
    const paused = await ask(id, 'pause', { reason: 'a helicopter is near' });
    expect(paused).toMatchObject({ status: 202, body: { command: { method: 'flighttask_pause' } } });
    await world.inState(id, 'paused');
    await expect(answered(id, 'flighttask_pause')).resolves.toMatchObject({
      id: paused.body.command.id,
      reason: 'a helicopter is near',
      requestedBy: expect.any(String),
      outcome: 'written',
      reply: { result: 0 },
    });

    const again = await refused(id, 'pause');
    expect(again).toMatchObject({ status: 409, body: { code: 'mission_state', errors: [{ field: 'id' }] } });
    expect(again.body.choices?.map(({ action }) => action)).toEqual(expect.arrayContaining(['resume', 'return-home']));

    expect((await ask(id, 'resume')).status).toBe(202);
    hurry(dock);
    await expect(world.ended(id, 90_000)).resolves.toMatchObject({ state: 'succeeded' });
    expect(world.tap.of('services', 'flighttask_pause', id)).toHaveLength(1);
  },
  150_000,
);

it.concurrent(
  'calls an aircraft home, keeps where it stopped, and goes on from there with a new mission',
  async () => {
    const dock = await world.dock({ speed: 8 });
    const id = await aFlight(dock);
    expect((await ask(id, 'return-home', { reason: 'seen enough' })).status).toBe(202);
    hurry(dock);
    const ended = await world.ended(id, 90_000);
    expect(ended).toMatchObject({ state: 'failed', cause: { dockResult: 322283, endedBy: 'person', resumable: true } });
    expect(ended.cause?.dockError?.en).toMatch(/return/i);

    const points = good(
      await world.api.get<{ items: { id: string; resumable: boolean; breakReason: number }[] }>(
        `/missions/${id}/breakpoints`,
      ),
    ).items;
    expect(points.at(-1)).toMatchObject({ resumable: true, breakReason: 1283 });

    const key = { 'idempotency-key': `resume-${id}` };
    const path = `/missions/${id}/resume-from-breakpoint`;
    const resumed = good(await world.api.post<MissionView>(path, {}, key));
    expect(good(await world.api.post<MissionView>(path, {}, key)).id).toBe(resumed.id);
    expect(resumed).toMatchObject({ kind: 'immediate', resumedFrom: id });
    await expect(world.ended(resumed.id, 120_000)).resolves.toMatchObject({ state: 'succeeded' });
    const [prepare] = world.tap.of('services', 'flighttask_prepare', resumed.id);
    expect(prepare?.data['break_point']).toMatchObject({ wayline_id: expect.any(Number), index: expect.any(Number) });
  },
  240_000,
);

it.concurrent(
  'stops a return on request; the aircraft hovers and the mission does not go on',
  async () => {
    const dock = await world.dock({ speed: 4 });
    const id = await aFlight(dock);
    await ask(id, 'return-home');
    await eventually('it flies home', () => dock.state.flight?.phase === 'returning', 30_000);
    expect((await ask(id, 'cancel-return-home')).status).toBe(202);
    await expect(answered(id, 'return_home_cancel')).resolves.toMatchObject({ reply: { result: 0 } });
    await eventually('it hovers', () => dock.state.flight?.phase === 'hovering', 30_000);
    await ask(id, 'return-home');
    hurry(dock);
    await expect(world.ended(id, 120_000)).resolves.toMatchObject({ state: 'failed' });
  },
  240_000,
);

it.concurrent(
  'ends a flight at the dock, and sends it to another dock',
  async () => {
    const dock = await world.dock({ speed: 8, model: 'dock3' });
    const id = await aFlight(dock);
    expect((await ask(id, 'stop', { reason: 'no longer needed' })).status).toBe(202);
    hurry(dock);
    await expect(world.ended(id, 90_000)).resolves.toMatchObject({ state: 'canceled' });
    const [stop] = world.tap.of('services', 'flighttask_stop', id);
    expect(stop?.data).toEqual({ flight_id: id, reason: 0 });

    const nowhere = await refused(id, 'return-to-dock', { dockSn: 'NOT-OURS' });
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'unknown_dock', errors: [{ field: 'dockSn' }] } });
    await world.register('SCN-OTHER', 'dock3');
    const second = await aFlight(dock);
    expect((await ask(second, 'return-to-dock', { dockSn: 'SCN-OTHER' })).status).toBe(202);
    hurry(dock);
    await world.ended(second, 90_000);
    const [elsewhere] = world.tap.of('services', 'return_specific_home', second);
    expect(elsewhere?.data).toEqual({ home_dock_sn: 'SCN-OTHER' });
  },
  240_000,
);

it.concurrent(
  'gives up a flight that gets ready, where the model can',
  async () => {
    const dock = await world.dock({ model: 'dock1', speed: 1 });
    const { id } = await world.immediate(dock);
    await world.inState(id, 'executing', 40_000);
    expect((await ask(id, 'abort-setup')).status).toBe(202);
    hurry(dock);
    await expect(world.ended(id, 60_000)).resolves.toMatchObject({ state: 'canceled' });
    expect(dock.takeoffs).toEqual([]);
  },
  120_000,
);

it.concurrent(
  'refuses what a model does not have, and names what it has',
  async () => {
    const dock = await world.dock({ model: 'dock1', speed: 6 });
    const id = await aFlight(dock);
    const answer = await refused(id, 'stop');
    expect(answer).toMatchObject({ status: 422, body: { code: 'dock_cannot', errors: [{ field: 'action' }] } });
    expect(answer.body.choices?.map(({ action }) => action)).toContain('return-home');
    expect(world.tap.of('services', 'flighttask_stop', id)).toHaveLength(0);
    await ask(id, 'return-home');
    hurry(dock);
    await world.ended(id, 90_000);
  },
  150_000,
);

it.concurrent(
  'commands nothing while the dock names another flight than the one that is meant',
  async () => {
    // It says nothing more of our flight once that is in the air, so that its last word is about the other one.
    const dock = await world.dock({ speed: 6, faults: 'mute=flying' });
    const { id } = await world.immediate(dock, { waylineId: await world.longRoute(dock) });
    await eventually('it is in the air', () => dock.takeoffs.includes(id), 40_000);
    await world.inState(id, 'executing');
    const progress = { status: 'in_progress', progress: {}, ext: { flight_id: 'flown-by-hand' } };
    const method = 'flighttask_progress';
    const word = {
      tid: 'by-hand-1',
      bid: 'by-hand',
      timestamp: Date.now(),
      method,
      data: { result: 0, output: progress },
    };
    dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify(word));
    const answer = await eventually('it is refused', async () => {
      const tried = await refused(id, 'return-home');
      return tried.status === 409 ? tried : undefined;
    });
    expect(answer.body).toMatchObject({ code: 'other_flight', errors: [{ field: 'id' }] });
    expect(answer.body.detail).toContain('flown-by-hand');
  },
  120_000,
);

it.concurrent(
  'cancel: J4 after the claim answers 409 with what can be done instead, J6 twice is fine and after the end is not',
  async () => {
    const dock = await world.dock({ speed: 6 });
    const id = await aFlight(dock);
    const tooLate = await refused(id, 'cancel');
    expect(tooLate).toMatchObject({ status: 409, body: { code: 'mission_state', errors: [{ field: 'id' }] } });
    expect(tooLate.body.choices?.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['pause', 'return-home', 'stop']),
    );
    expect(world.tap.of('services', 'flighttask_undo', id)).toHaveLength(0);
    await ask(id, 'return-home');
    hurry(dock);
    await world.ended(id, 90_000);
    expect((await refused(id, 'cancel')).body.choices).toBeUndefined();

    const waiting = await world.timed(dock, 3_600_000);
    const first = await world.api.post<MissionView>(`/missions/${waiting.id}/cancel`);
    const second = await world.api.post<MissionView>(`/missions/${waiting.id}/cancel`);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body.state).toBe('canceled');
  },
  200_000,
);

it('resumes by itself after the break reasons that the policy names, and not more often', async () => {
  const policy = { autoResume: { onBreakReasons: [784], atMost: 1, afterMs: 0 } };
  good(await world.api.put('/mission-policy', policy));
  try {
    const dock = await world.dock({ faults: 'fail=321784', speed: 60 });
    const { id } = await world.immediate(dock);
    await expect(world.ended(id, 60_000)).resolves.toMatchObject({ state: 'failed', cause: { dockResult: 321784 } });
    const next = await eventually('a resumed mission is planned', async () =>
      good(await world.api.get<{ items: MissionView[] }>(`/missions?dockSn=${dock.sn}`)).items.find(
        ({ resumedFrom }) => resumedFrom === id,
      ),
    );
    expect(next).toMatchObject({ kind: 'timed', state: expect.stringMatching(/scheduled|prepar/) });
    good(await world.api.post(`/missions/${next.id}/cancel`));
  } finally {
    good(await world.api.put('/mission-policy', {}));
  }
}, 120_000);

it('keeps a policy against a change that was made on an old view of it', async () => {
  const read = async () => good(await world.api.get<{ version: number }>('/mission-policy'));
  const { version } = await read();
  const etag = { 'if-match': `"${version}"` };
  expect(
    (await world.api.put('/mission-policy', { preflight: { wind: { maximumMetersPerSecond: 10 } } }, etag)).status,
  ).toBe(200);
  expect(await world.api.put('/mission-policy', {}, etag)).toMatchObject({ status: 412 });
  const bad = await world.api.put<ProblemView>('/mission-policy', {
    preflight: { wind: { maximumMetersPerSecond: -1 } },
  });
  expect(bad).toMatchObject({ status: 422, body: { errors: [{ field: 'preflight.wind.maximumMetersPerSecond' }] } });
  good(await world.api.put('/mission-policy', {}));
}, 30_000);

it.concurrent(
  'says in two languages what a code of a dock means and what to do',
  async () => {
    const { items } = good(
      await world.api.get<{ items: { code: number; en: string; zh: string; advice: object }[] }>('/error-codes'),
    );
    expect(items.length).toBeGreaterThan(200);
    expect(good(await world.api.get<{ items: { en: string }[] }>('/error-codes?code=514134')).items[0]).toMatchObject({
      code: 514134,
      en: expect.any(String),
      zh: expect.any(String),
      advice: { en: expect.any(String), zh: expect.any(String) },
    });
    expect(await world.api.get('/error-codes?code=999999')).toMatchObject({
      status: 404,
      body: { errors: [{ field: 'code' }] },
    });
  },
  30_000,
);
