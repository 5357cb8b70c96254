import { createHash } from 'node:crypto';
import { makeSampleKmz } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { HOME, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({}, ['#'], { tls: true });
}, 120_000);
afterAll(() => world.stop(), 60_000);

it.concurrent.each(['dock1', 'dock2', 'dock3'] as const)(
  'flies an immediate mission from the API to the terminal word of a %s',
  async (model) => {
    const dock = await world.dock({ model });
    const { id } = await world.immediate(dock);
    const mission = await world.ended(id);

    expect(mission).toMatchObject({ state: 'succeeded', cause: { code: 'reported_by_dock', dockResult: 0 } });
    expect(world.tap.executes(id)).toHaveLength(1);
    expect(dock.takeoffs).toEqual([id]);
  },
  90_000,
);

it.concurrent(
  'starts a timed mission at its time and not before',
  async () => {
    const dock = await world.dock();
    const { id, executeAt } = await world.timed(dock, 4_000);
    await world.ended(id);

    const [execute] = world.tap.executes(id);
    const skewMs = (execute?.atMs ?? 0) - Date.parse(executeAt ?? '');
    expect(skewMs).toBeGreaterThanOrEqual(0);
    expect(skewMs).toBeLessThan(6_000);
  },
  60_000,
);

it.concurrent(
  'hands out the file again, under a fresh address, when the dock asks for it',
  async () => {
    const dock = await world.dock({ askResource: 'always' });
    // Addresses are signed for a second: prepare and execute have to lie further apart to see that it is a new one.
    const { id } = await world.timed(dock, 3_000);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });

    const prepared = world.tap.of('services', 'flighttask_prepare', id)[0]?.data as { file: { url: string } };
    const asked = world.tap.of('requests', 'flighttask_resource_get').find(({ data }) => data['flight_id'] === id);
    const answer = world.tap.of('requests_reply', 'flighttask_resource_get').find(({ tid }) => tid === asked?.tid);
    const file = (answer?.data['output'] as { file: { url: string; fingerprint: string } }).file;
    expect(file.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(file.url).not.toBe(prepared.file.url);
  },
  60_000,
);

it.concurrent(
  'hands a dock the very bytes of a route that were uploaded, and their fingerprint',
  async () => {
    const dock = await world.dock();
    const origin = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };
    const sent = await makeSampleKmz({ ...origin, waypoints: 4, aircraft: 'M3TD' });
    const { id: waylineId } = good(await world.api.upload<{ id: string }>('/waylines?name=bytes', sent));
    const { id } = good(
      await world.api.post<{ id: string }>('/missions', { ...world.body(dock, { kind: 'immediate' }), waylineId }),
    );
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    const { file } = world.tap.of('services', 'flighttask_prepare', id)[0]?.data as {
      file: { url: string; fingerprint: string };
    };
    const received = Buffer.from(await (await fetch(file.url)).arrayBuffer());
    expect(received.equals(sent)).toBe(true);
    expect(file.fingerprint).toBe(createHash('md5').update(sent).digest('hex'));
  },
  60_000,
);

it.concurrent(
  'answers every event that asks, with its tid, bid and method, and only once its effect can be read',
  async () => {
    const dock = await world.dock();
    const { id } = await world.immediate(dock);
    const reply = await eventually(
      'the terminal event is answered',
      () => {
        const last = dock.eventsSent.find(
          (event) => event.method === 'flighttask_progress' && JSON.stringify(event.data).includes('"ok"'),
        );
        return world.tap
          .of('events_reply', 'flighttask_progress')
          .find(({ tid }) => last !== undefined && tid === last.tid);
      },
      60_000,
    );
    // Read at once, without waiting: the answer must not have overtaken the commit.
    expect((await world.mission(id)).state).toBe('succeeded');
    expect(reply).toMatchObject({ bid: id, data: { result: 0 } });

    const asking = world.tap.seen.filter(
      ({ topic, bid, method }) => topic.endsWith('/events') && bid === id && method !== undefined,
    );
    const answered = new Set(
      world.tap.seen.filter(({ topic }) => topic.endsWith('/events_reply')).map(({ tid }) => tid),
    );
    for (const event of dock.eventsSent.filter(({ needReply, bid }) => needReply && bid === id))
      expect(answered).toContain(event.tid);
    expect(asking.length).toBeGreaterThan(0);
  },
  90_000,
);

it.concurrent(
  'answers the repeat of an event again and gives it no second effect',
  async () => {
    const dock = await world.dock();
    const { id } = await world.immediate(dock);
    await world.ended(id);
    const terminal = { tid: 'repeated-tid', bid: id, method: 'flighttask_progress', need_reply: 1, gateway: dock.sn };
    const data = {
      result: 0,
      output: { status: 'ok', progress: { current_step: 36, percent: 100 }, ext: { flight_id: id } },
    };
    const send = (): boolean =>
      dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify({ ...terminal, timestamp: Date.now(), data }));
    const answers = (): number =>
      world.tap.of('events_reply', 'flighttask_progress').filter(({ tid }) => tid === terminal.tid).length;

    send();
    await eventually('the first is answered', () => answers() === 1);
    const before = (await world.timeline(id)).length;
    send();
    await eventually('the repeat is answered too', () => answers() === 2);
    expect(await world.timeline(id)).toHaveLength(before);
  },
  60_000,
);

it.concurrent(
  'cancels a mission that waits: the dock is told, confirms, and never gets an execute',
  async () => {
    const dock = await world.dock();
    const { id } = await world.timed(dock, 30_000);
    await world.inState(id, 'prepared');
    good(await world.api.post(`/missions/${id}/cancel`));
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'canceled' });
    good(await world.api.post(`/missions/${id}/cancel`));

    expect(world.tap.of('services', 'flighttask_undo', id)).toHaveLength(1);
    expect(world.tap.executes(id)).toHaveLength(0);
  },
  60_000,
);

it.concurrent(
  'refuses to cancel a flight, and says why',
  async () => {
    const dock = await world.dock({ speed: 10 });
    const { id } = await world.immediate(dock, { waylineId: await world.longRoute(dock) });
    await world.inState(id, 'executing', 30_000);
    const refused = await world.api.post<{ code: string; state: string }>(`/missions/${id}/cancel`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'mission_state', state: 'executing' } });
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  },
  90_000,
);

it.concurrent(
  'keeps a mission apart from another dock that names it',
  async () => {
    const dock = await world.dock({ speed: 10 });
    const stranger = await world.dock();
    const { id } = await world.immediate(dock, { waylineId: await world.longRoute(dock) });
    await world.inState(id, 'executing', 30_000);
    const data = { result: 0, output: { status: 'failed', progress: {}, ext: { flight_id: id } } };
    const forged = {
      tid: 'forged-tid',
      bid: id,
      timestamp: Date.now(),
      method: 'flighttask_progress',
      need_reply: 1,
      gateway: stranger.sn,
      data,
    };
    stranger.publishRaw(`thing/product/${stranger.sn}/events`, JSON.stringify(forged));
    await eventually('the stranger is answered', () =>
      world.tap.seen.some(({ topic, tid }) => tid === 'forged-tid' && topic.endsWith('events_reply')),
    );
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  },
  90_000,
);
