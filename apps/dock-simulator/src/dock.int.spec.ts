import { randomUUID } from 'node:crypto';
import {
  aTask,
  cloud,
  dock,
  meetCloud,
  aDock,
  begin,
  fly,
  settled,
  statusesHeard,
  storage,
  useRig,
  WAIT_MS,
} from './rig.fake.js';
import { arrayOf, objectOf } from './wire.js';

useRig();

const methodsAsked = (): string[] =>
  cloud.heard.filter(({ channel }) => channel === 'requests' || channel === 'status').map(({ method }) => method);

describe('a dock that goes online', () => {
  it('asks for its configuration and its binding before it announces its aircraft', async () => {
    await aDock();
    expect(methodsAsked()).toEqual(['config', 'airport_bind_status', 'update_topo']);
    const topology = cloud.of('update_topo')[0]?.data;
    expect(arrayOf(topology?.['sub_devices']).map((device) => objectOf(device)['sn'])).toEqual([dock.aircraftSn]);
  });

  it('binds itself when it is not bound and knows a code', async () => {
    const sn = await meetCloud();
    cloud.bound = false;
    await begin(sn, { bindingCode: 'code', organisationId: 'org' });
    await dock.waitFor('online', WAIT_MS);
    expect(methodsAsked()).toEqual([
      'config',
      'airport_bind_status',
      'airport_organization_get',
      'airport_organization_bind',
      'update_topo',
    ]);
  });

  it('repeats questions that nobody answers, and comes online all the same', async () => {
    const sn = await meetCloud();
    cloud.answersRequests = false;
    await begin(sn, { requestAttempts: 2, requestTimeoutMs: 20 });
    await dock.waitFor('online', WAIT_MS);
    expect(cloud.of('config')).toHaveLength(2);
    cloud.answersRequests = true;
    const heardSoFar = cloud.of('update_topo').length;
    await cloud.hears((message) => message.method === 'update_topo' && cloud.of('update_topo').length > heardSoFar);
  });

  it('speaks MQTT 3.1.1 as well', async () => {
    await aDock({ mqttVersion: 4, qos: 1 });
    expect(dock.state.connected).toBe(true);
  });

  it('sends its telemetry in three interleaved parts and keeps silent about an aircraft that is off', async () => {
    await aDock();
    const has = (name: string) => (message: { channel: string; data: object }) =>
      message.channel === 'osd' && name in message.data;
    const parts = await Promise.all(['mode_code', 'rainfall', 'position_state'].map((name) => cloud.hears(has(name))));
    expect(new Set(parts.map(({ tid }) => tid)).size).toBe(3);
    expect(parts[0]?.data).toMatchObject({ mode_code: 0, flighttask_step_code: 5, drone_in_dock: 1 });
    expect(cloud.heard.some(({ sn, channel }) => sn === dock.aircraftSn && channel === 'osd')).toBe(false);
  });

  it('answers a written property by name', async () => {
    await aDock();
    expect(await cloud.setProperty({ silent_mode: 1 })).toEqual({ silent_mode: { result: 0 } });
    expect(await cloud.setProperty({ no_such_thing: 1 })).toEqual({ no_such_thing: { result: 1 } });
  });
});

describe('a dock that flies', () => {
  it('prepares, executes and flies the route of the file to a good end', async () => {
    await aDock();
    const flightId = await fly();
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    expect(dock.takeoffs).toEqual([flightId]);
    expect(dock.flightsFlown).toEqual([{ flightId, status: 'ok', result: 0, mediaCount: 4 }]);
    expect(statusesHeard()).toEqual(['sent', 'in_progress', 'ok']);
    const last = cloud.of('flighttask_progress').at(-1);
    expect(last?.bid).toBe(flightId);
    expect(last?.data).toMatchObject({ result: 0, output: { ext: { flight_id: flightId, media_count: 4 } } });
  });

  it('asks for an answer only when the status changes', async () => {
    await aDock({ progressIntervalMs: 10 });
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    const asking = dock.eventsOf('flighttask_progress').filter(({ needReply, attempt }) => needReply && attempt === 1);
    const statuses = asking.map(({ data }) => objectOf(objectOf(data)['output'])['status']);
    expect(statuses).toEqual(['sent', 'in_progress', 'ok']);
    expect(dock.eventsOf('flighttask_progress').length).toBeGreaterThan(10);
  });

  it('sends telemetry of the aircraft while it is powered, and moves it along', async () => {
    await aDock({ speed: 100, osdIntervalMs: 30 });
    await fly();
    await cloud.hears(
      ({ sn, channel, data }) => sn === dock.aircraftSn && channel === 'osd' && data['mode_code'] === 5,
    );
    const flying = cloud.heard.filter(({ sn, channel }) => sn === dock.aircraftSn && channel === 'osd');
    expect(flying.every(({ body }) => body['gateway'] === dock.sn)).toBe(true);
    await dock.waitFor('ended', WAIT_MS);
    const modes = cloud.heard.filter(({ channel, data }) => channel === 'osd' && 'drone_in_dock' in data);
    expect(modes.some(({ data }) => data['mode_code'] === 4 && data['drone_in_dock'] === 0)).toBe(true);
  });

  it('repeats an unanswered event with the same tid and a new timestamp until it is answered', async () => {
    await aDock();
    cloud.answersEvents = false;
    await fly();
    await dock.waitFor(({ eventsSent }) => eventsSent.some(({ attempt }) => attempt === 3), WAIT_MS);
    const { tid } = dock.eventsSent.find(({ attempt }) => attempt === 3) ?? { tid: '' };
    const copies = dock.eventsSent.filter((event) => event.tid === tid);
    expect(new Set(copies.map(({ timestampMs }) => timestampMs)).size).toBe(copies.length);
    cloud.answersEvents = true;
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    expect(dock.answeredEvents.map((event) => event.tid)).toContain(tid);
  });

  it('is quiet while paused and goes on where it stopped', async () => {
    await aDock({ speed: 150, progressIntervalMs: 10 });
    const flightId = await fly();
    await dock.waitFor(({ state }) => state.flight?.phase === 'route', WAIT_MS);
    expect(await cloud.result('flighttask_pause', {})).toBe(0);
    const paused = await cloud.hears(({ data }) => objectOf(data['output'])['status'] === 'paused');
    expect(paused.data).toMatchObject({ output: { ext: { break_point: { break_reason: 1281 } } } });
    const said = (): number => dock.eventsOf('flighttask_progress').filter(({ attempt }) => attempt === 1).length;
    const saidAtPause = said();
    expect(await cloud.result('flighttask_pause', {})).toBe(319046);
    expect(said()).toBe(saidAtPause);
    expect(await cloud.result('flighttask_recovery', '')).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'ok' }]);
  });

  it('comes home on demand, and tells only after landing that the user returned it', async () => {
    await aDock({ speed: 150 });
    const flightId = await fly();
    await dock.waitFor(({ state }) => state.flight?.phase === 'route', WAIT_MS);
    expect(await cloud.result('return_home', {})).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    expect(statusesHeard()).toEqual(['sent', 'in_progress', 'paused', 'failed']);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 322283 }]);
  });

  it('takes off at the time of a timed task and not before', async () => {
    await aDock({ speed: 2_000 });
    const flightId = randomUUID();
    const executeTime = Date.now() + 700;
    await cloud.result('flighttask_prepare', aTask(flightId, { task_type: 1, execute_time: String(executeTime) }));
    await cloud.result('flighttask_execute', { flight_id: flightId }, flightId);
    await dock.waitFor('takeOff', WAIT_MS);
    expect(dock.facts.find(({ name }) => name === 'takeOff')?.atMs).toBeGreaterThanOrEqual(executeTime);
  });

  it('flies the legacy command at once', async () => {
    await aDock({ dialect: 'seed' });
    const flightId = randomUUID();
    const file = { url: storage.url, sign: storage.fingerprint };
    expect(await cloud.result('flighttask_create', { flight_id: flightId, type: 0, file }, flightId)).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    const last = cloud.of('flighttask_progress').at(-1);
    expect(last?.data).toMatchObject({ status: 'ok', result: 0 });
    expect(last?.body).toMatchObject({ need_reply: true, timestamp: expect.stringMatching(/^\d{13}$/) as string });
    expect(cloud.of('config')[0]?.body).toHaveProperty('timestamp:');
  });

  it('asks for the route when told to, and uses the answer', async () => {
    await aDock({ askResource: 'always' });
    cloud.resource = { result: 0, output: { file: storage.file } };
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(cloud.of('flighttask_resource_get')).toHaveLength(1);
    expect(dock.takeoffs).toHaveLength(1);
  });

  it('announces a conditional task that is ready, once', async () => {
    await aDock();
    const ready_conditions = { battery_capacity: 50, begin_time: Date.now() - 1_000, end_time: Date.now() + 60_000 };
    const flightId = randomUUID();
    await cloud.result('flighttask_prepare', aTask(flightId, { task_type: 2, ready_conditions }));
    const ready = await cloud.hears(({ method }) => method === 'flighttask_ready');
    expect(ready.data).toEqual({ flight_ids: [flightId] });
  });
});

describe('a dock that refuses', () => {
  beforeEach(() => aDock());

  it('an immediate task that is older than 30 s', async () => {
    expect(await cloud.result('flighttask_prepare', aTask('a', { execute_time: Date.now() - 31_000 }))).toBe(319004);
  });

  it('a file with another checksum', async () => {
    const file = { ...storage.file, fingerprint: '0'.repeat(32) };
    expect(await cloud.result('flighttask_prepare', aTask('a', { file }))).toBe(314005);
  });

  it('a file that it cannot download', async () => {
    storage.status = 403;
    expect(await cloud.result('flighttask_prepare', aTask('a'))).toBe(314004);
  });

  it('a task that it does not know', async () => {
    expect(await cloud.result('flighttask_execute', { flight_id: 'nobody' })).toBe(319003);
    expect(await cloud.result('flighttask_undo', { flight_ids: ['nobody'] })).toBe(319003);
  });

  it('a method that it does not know', async () => {
    expect(await cloud.result('make_coffee', {})).toBe(314000);
  });

  it('a second flight, a repeat and an undo of the running one, while it flies on', async () => {
    const flightId = await fly();
    expect(await cloud.result('flighttask_execute', { flight_id: flightId })).toBe(321257);
    expect(await cloud.result('flighttask_execute', { flight_id: 'other' })).toBe(319016);
    expect(await cloud.result('flighttask_undo', { flight_id: [flightId] })).toBe(319006);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ status: 'ok' }]);
  });

  it('to fly what was undone', async () => {
    await cloud.result('flighttask_prepare', aTask('a'));
    expect(await cloud.result('flighttask_undo', { flight_ids: ['a'] })).toBe(0);
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(319003);
  });
});
