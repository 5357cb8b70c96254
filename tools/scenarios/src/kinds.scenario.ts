import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { good, replay } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { type MissionView, type ProblemView, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '20000' } });
}, 120_000);
afterAll(() => world.stop(), 60_000);

it('flies a conditional mission once its dock says that the conditions hold', async () => {
  const dock = await world.dock({ batteryPercent: 94 });
  const { id } = await world.conditional(dock, 120_000, 50);
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded', kind: 'conditional' });
  const [prepare] = world.tap.of('services', 'flighttask_prepare', id);
  expect(prepare?.data).toMatchObject({ task_type: 2, ready_conditions: { battery_capacity: 50 } });
  expect(world.tap.of('events', 'flighttask_ready').length).toBeGreaterThan(0);
  expect(world.tap.executes(id)).toHaveLength(1);
}, 90_000);

it('misses a conditional mission whose dock is never ready, and takes it back from the dock', async () => {
  const dock = await world.dock({ batteryPercent: 60 });
  const { id } = await world.conditional(dock, 6_000, 95);
  await world.inState(id, 'waiting_ready');
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'missed', cause: { code: 'never_ready' } });
  await eventually('the task is taken back', () => dock.state.preparedTasks.length === 0);
  expect(world.tap.executes(id)).toHaveLength(0);
}, 60_000);

it('gives a dock of the first protocol its flight in one command, once', async () => {
  const dock = await world.dock({ model: 'dock1', dialect: 'seed' }, '1.1');
  const { id } = await world.immediate(dock);
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  expect(world.tap.of('services', 'flighttask_create', id)).toHaveLength(1);
  expect(world.tap.of('services', 'flighttask_prepare', id)).toHaveLength(0);
  expect(dock.takeoffs).toEqual([id]);
}, 90_000);

it('tells a dock that a flight is only simulated', async () => {
  const dock = await world.dock({ model: 'dock3' });
  const simulate = { latitude: 46.5, longitude: 6.6, altitudeMeters: 450 };
  const body = world.body(dock, { kind: 'immediate', simulate, storageNeededMegabytes: 500, flightAreaCheck: true });
  const { id } = good(await world.api.post<MissionView>('/missions', body));
  await eventually('prepare is on the wire', () => world.tap.of('services', 'flighttask_prepare', id).length > 0);
  expect(world.tap.of('services', 'flighttask_prepare', id)[0]?.data).toMatchObject({
    simulate_mission: { is_enable: 1, latitude: 46.5, longitude: 6.6, altitude: 450 },
    executable_conditions: { storage_capacity: 500 },
    flight_safety_advance_check: 1,
  });
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
}, 60_000);

describe('two missions of one dock', () => {
  it('are not planned for the same time, also when both are asked for at once', async () => {
    const dock = await world.dock();
    const executeAt = new Date(Date.now() + 3_600_000).toISOString();
    const body = world.body(dock, { kind: 'timed', executeAt });
    const answers = await Promise.all(Array.from({ length: 8 }, () => world.api.post<MissionView>('/missions', body)));
    const accepted = answers.filter(({ status }) => status === 201);
    expect(accepted).toHaveLength(1);
    const refused = answers.find(({ status }) => status === 409)?.body as unknown as ProblemView;
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
    expect(refused).toMatchObject({ code: 'dock_taken', errors: [{ field: 'executeAt' }] });
    expect(refused.conflicts?.[0]?.id).toBe(accepted[0]?.body.id);
    expect(refused.detail).toContain(accepted[0]?.body.id ?? 'nothing');
  }, 30_000);

  it('leave the dock to the other when one of them is called off', async () => {
    const dock = await world.dock();
    const first = await world.timed(dock, 3_600_000);
    const body = world.body(dock, { kind: 'timed', executeAt: first.executeAt });
    expect((await world.api.post('/missions', body)).status).toBe(409);
    good(await world.api.post(`/missions/${first.id}/cancel`, { reason: 'the weather' }));
    expect((await world.api.post('/missions', body)).status).toBe(201);
  }, 30_000);
});

it('answers a dry run with verdict, conflicts and preflight, and writes nothing', async () => {
  const dock = await world.dock();
  const count = async (): Promise<number> =>
    good(await world.api.get<{ items: unknown[] }>(`/missions?dockSn=${dock.sn}&limit=200`)).items.length;
  const executeAt = new Date(Date.now() + 3_600_000).toISOString();
  const body = world.body(dock, { kind: 'timed', executeAt });
  // A dock that came online a moment ago has not told everything about itself yet.
  const free = await eventually('the dock has told that it may fly', async () => {
    const preview = good(await world.api.post<{ verdict: string }>('/missions?dryRun=true', body));
    return preview.verdict === 'go' ? preview : undefined;
  });
  expect(free).toMatchObject({ conflicts: [], preflight: { verdict: 'go' }, plan: { executeAt } });
  expect(await count()).toBe(0);

  const planned = await world.timed(dock, 3_600_000);
  const taken = good(await world.api.post('/missions?dryRun=true', body));
  expect(taken).toMatchObject({ verdict: 'no_go', conflicts: [{ id: planned.id }] });
  expect(await count()).toBe(1);
}, 30_000);

describe('a mission that is moved to another time', () => {
  it('is prepared again, and starts at the new time only', async () => {
    const dock = await world.dock();
    const mission = await world.timed(dock, 60_000);
    await world.inState(mission.id, 'prepared');
    const executeAt = new Date(Date.now() + 5_000).toISOString();
    const moved = good(await world.api.patch<MissionView>(`/missions/${mission.id}`, { executeAt }));
    expect(moved).toMatchObject({ state: 'scheduled', executeAt });
    await expect(world.ended(mission.id)).resolves.toMatchObject({ state: 'succeeded' });
    expect(world.tap.of('services', 'flighttask_prepare', mission.id)).toHaveLength(2);
    const [execute, ...more] = world.tap.executes(mission.id);
    expect(more).toEqual([]);
    expect(execute?.atMs ?? 0).toBeGreaterThanOrEqual(Date.parse(executeAt));
  }, 60_000);

  it('is refused on an old view, with the version that it is now', async () => {
    const dock = await world.dock();
    const mission = await world.timed(dock, 3_600_000);
    const executeAt = new Date(Date.now() + 7_200_000).toISOString();
    const path = `/missions/${mission.id}`;
    const etag = `"${mission.version}"`;
    const moved = good(await world.api.patch<MissionView>(path, { executeAt }, { 'if-match': etag }));
    const late = await world.api.patch<ProblemView>(path, { executeAt }, { 'if-match': etag });
    expect(late).toMatchObject({ status: 412, body: { code: 'outdated', version: moved.version } });
    expect(late.body.errors[0]?.field).toBe('If-Match');
  }, 30_000);

  it('is refused where another mission has the dock, and stays where it was', async () => {
    const dock = await world.dock();
    const first = await world.timed(dock, 3_600_000);
    const second = await world.timed(dock, 7_200_000);
    const refused = await world.api.patch<ProblemView>(`/missions/${second.id}`, { executeAt: first.executeAt });
    expect(refused).toMatchObject({ status: 409, body: { code: 'dock_taken', conflicts: [{ id: first.id }] } });
    expect((await world.mission(second.id)).executeAt).toBe(second.executeAt);
  }, 30_000);
});

it('gives the first answer to a repeat, although the time of the mission has passed since', async () => {
  const dock = await world.dock();
  const executeAt = new Date(Date.now() + 3_000).toISOString();
  const body = world.body(dock, { kind: 'timed', executeAt });
  const key = { 'idempotency-key': `repeat-${dock.sn}` };
  const first = good(await world.api.post<MissionView>('/missions', body, key));
  await world.ended(first.id);
  const repeat = await world.api.post<MissionView>('/missions', body, key);
  expect(repeat).toMatchObject({ status: 201, body: { id: first.id } });
}, 60_000);

it('exports a timeline that replays to the same states', async () => {
  const dock = await world.dock();
  const { id } = await world.immediate(dock);
  await world.ended(id);
  const { body } = await world.api.text(`/missions/${id}/timeline?format=ndjson`);
  const file = path.join(world.directory, 'mission.ndjson');
  writeFileSync(file, body);
  expect(body.split('\n').length).toBeGreaterThan(10);
  expect(await replay('', [file])).toBe(0);
  // As if another state had come out at the first decision.
  writeFileSync(file, body.replace('"to":"preparing"', '"to":"prepared"'));
  expect(await replay('', [file])).toBe(1);
}, 60_000);

it('lists missions by dock, state, kind and time, in either order, page by page', async () => {
  const dock = await world.dock();
  const ids: string[] = [];
  for (const hours of [1, 2, 3]) ids.push((await world.timed(dock, hours * 3_600_000)).id);
  good(await world.api.post(`/missions/${ids[1]}/cancel`));
  const list = async (query: string) =>
    good(
      await world.api.get<{ items: MissionView[]; nextCursor: string | null }>(`/missions?dockSn=${dock.sn}&${query}`),
    );
  expect((await list('sort=time')).items.map(({ id }) => id)).toEqual(ids);
  expect((await list('sort=-time&state=scheduled&kind=timed')).items.map(({ id }) => id)).toEqual([ids[2], ids[0]]);
  const from = encodeURIComponent(new Date(Date.now() + 1.5 * 3_600_000).toISOString());
  expect((await list(`from=${from}&sort=time`)).items.map(({ id }) => id)).toEqual([ids[1], ids[2]]);
  const first = await list('sort=time&limit=2');
  const rest = await list(`sort=time&limit=2&cursor=${first.nextCursor}`);
  expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids);
  const other = await world.api.get<ProblemView>(`/missions?sort=-time&cursor=${first.nextCursor}`);
  expect(other).toMatchObject({ status: 422, body: { errors: [{ field: 'cursor' }] } });
}, 30_000);
