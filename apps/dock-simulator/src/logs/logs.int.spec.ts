import { randomUUID } from 'node:crypto';
import type { FactName } from '../journal.js';
import { aDock, aTask, cloud, dock, fly, useRig, WAIT_MS } from '../rig.fake.js';
import { FakeObjectStorage } from '../storage/object-storage.fake.js';
import { arrayOf, type Json, objectOf } from '../wire.js';
import type { LogModule } from './log-boots.js';

useRig();

let bucket: FakeObjectStorage;
beforeEach(async () => {
  bucket = await FakeObjectStorage.start();
});
afterEach(() => bucket.stop());

/** What `fileupload_start` says, for the newest boots of these modules. */
function orderOf(...modules: LogModule[]): Json {
  const { output } = bucket.config('') as { output: Json };
  const files = modules.map((module) => ({
    object_key: `logs/${module}.tar`,
    module,
    list: dock
      .logBoots(module)
      .slice(-2)
      .map(({ bootIndex }) => ({ boot_index: bootIndex })),
  }));
  return { ...output, params: { files } };
}

const start = (bid: string, ...modules: LogModule[]): Promise<number> =>
  cloud.result('fileupload_start', orderOf(...modules), bid);
const cancel = (...modules: LogModule[]): Promise<number> =>
  cloud.result('fileupload_update', { status: 'cancel', module_list: modules });

async function listed(): Promise<Json> {
  const tid = await cloud.command('fileupload_list', { module_list: ['0', '3'] });
  return (await cloud.hears((message) => message.channel === 'services_reply' && message.tid === tid)).data;
}

const statusOf = (data: unknown): unknown => objectOf(objectOf(data)['output'])['status'];
const statusesHeard = (): unknown[] => cloud.of('fileupload_progress').map(({ data }) => statusOf(data));
const hears = (status: string) =>
  cloud.hears(({ method, data }) => method === 'fileupload_progress' && statusOf(data) === status);
const bootsOf = (data: Json, module: LogModule): Json[] =>
  arrayOf(
    arrayOf(data['files'])
      .map(objectOf)
      .find((file) => file['module'] === module)?.['list'],
  ).map(objectOf);

describe('a dock that is asked for its logs', () => {
  it('lists what it has, and uploads what is picked from it', async () => {
    await aDock();
    const newest = bootsOf(await listed(), '3').at(-1);
    expect(newest).toMatchObject({ boot_index: dock.logBoots('3').at(-1)?.bootIndex, size: 60_000 });
    const bid = randomUUID();
    expect(await start(bid, '0', '3')).toBe(0);
    const end = await hears('ok');
    expect(end.body).toMatchObject({ bid, need_reply: 0, gateway: dock.sn });
    expect(dock.logUploads.map(({ key, sizeBytes }) => [key, sizeBytes])).toEqual(
      [...bucket.objects].map(([key, bytes]) => [key, bytes.length]),
    );
    expect(dock.state.exportingLogs).toBe(false);
  });

  it('speaks in the words of its firmware', async () => {
    await aDock({ dialect: 'seed' });
    const answer = await listed();
    expect(answer).not.toHaveProperty('result');
    expect(bootsOf(answer, '3').at(-1)).toHaveProperty('end_ime');
    expect(await cloud.result('fileupload_start', { ...orderOf('3'), file_store_dir: 'old/' })).toBe(0);
    const { output } = (await hears('ok')).data as { output: Json };
    expect(arrayOf(objectOf(output['ext'])['files'])).toMatchObject([{ progress: { prgress: 100 } }]);
  });

  it('has a boot of its aircraft for each flight, and one of its own for each start', async () => {
    await aDock();
    const before = { aircraft: dock.logBoots('0').at(-1), dock: dock.logBoots('3').at(-1) };
    const beganMs = Date.now();
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    const ofFlight = dock.logBoots('0').at(-1);
    expect(ofFlight?.bootIndex).toBe((before.aircraft?.bootIndex ?? 0) + 1);
    expect(ofFlight?.startMs).toBeGreaterThanOrEqual(beganMs);
    expect(ofFlight?.endMs).toBeLessThanOrEqual(Date.now());
    const after = dock.facts.at(-1)?.seq ?? 0;
    await dock.reboot();
    await dock.waitFor('online', WAIT_MS, { after });
    const [ended, present] = dock.logBoots('3').slice(-2);
    expect(ended).toMatchObject({ bootIndex: before.dock?.bootIndex, endMs: expect.any(Number) as number });
    expect(present?.endMs).toBeUndefined();
  });
});

describe('an export and a mission', () => {
  it('shut each other out: nothing is started while logs are pulled or uploaded', async () => {
    await aDock();
    await cloud.result('flighttask_prepare', aTask('early'));
    const release = bucket.hold();
    expect(await start('a', '3')).toBe(0);
    await bucket.until(() => bucket.requests.length === 1);
    expect(await cloud.result('flighttask_execute', { flight_id: 'early' })).toBe(319018);
    expect(await cloud.result('flighttask_prepare', aTask('now'))).toBe(319018);
    expect(await cloud.result('flighttask_create', aTask('old'))).toBe(319018);
    const later = { task_type: 1, execute_time: Date.now() + 60_000 };
    expect(await cloud.result('flighttask_prepare', aTask('later', later))).toBe(0);
    expect(dock.flyForeign('foreign', 100)).toBe(false);
    release();
    await dock.waitFor('logExportEnded', WAIT_MS);
    expect(await cloud.result('flighttask_execute', { flight_id: 'early' })).toBe(0);
    expect(dock.takeoffs).toEqual([]);
  });

  it('are told apart while the logs are still pulled', async () => {
    await aDock({ speed: 1 });
    await cloud.result('flighttask_prepare', aTask('a'));
    await start('b', '3');
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(319019);
    expect(await cancel('3')).toBe(0);
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(0);
  });

  it('shut each other out: logs are not exported while a mission flies', async () => {
    await aDock({ speed: 150 });
    await fly();
    await dock.waitFor('takeOff', WAIT_MS);
    expect(await start('a', '3')).toBe(319016);
    dock.setSpeed(1_000);
    await dock.waitFor('ended', WAIT_MS);
    expect(await start('a', '3')).toBe(0);
    await dock.waitFor('logExportEnded', WAIT_MS);
    const told: readonly FactName[] = ['takeOff', 'ended', 'logExportBegan', 'logExportEnded'];
    const order = dock.facts.map(({ name }) => name).filter((name) => told.includes(name));
    expect(order).toEqual(told);
  });
});

describe('an export', () => {
  it('ends when it is canceled', async () => {
    await aDock({ speed: 1 });
    await start('a', '0', '3');
    expect(await cancel('0', '3')).toBe(0);
    expect((await hears('canceled')).bid).toBe('a');
    expect(dock.facts.find(({ name }) => name === 'logExportEnded')?.detail).toEqual({ bid: 'a', status: 'canceled' });
  });

  it('reboot=exporting: is gone, and nobody hears of it again', async () => {
    await aDock({ faults: 'reboot=exporting' });
    const after = dock.facts.at(-1)?.seq ?? 0;
    await start('a', '3');
    await dock.waitFor('logExportEnded', WAIT_MS);
    await dock.waitFor('online', WAIT_MS, { after });
    expect(dock.facts.find(({ name }) => name === 'logExportEnded')?.detail).toEqual({ bid: 'a', status: 'reboot' });
    // What was said last may be lost with the connection.
    expect(statusOf(dock.eventsOf('fileupload_progress').at(-1)?.data)).toBe('file_uploading');
    expect(dock.state.exportingLogs).toBe(false);
    dock.clearFaults();
    expect(await start('b', '3')).toBe(0);
    await hears('ok');
  });

  it('offline=exporting: goes on without the cloud, which is not told', async () => {
    await aDock({ faults: 'offline=exporting:300ms' });
    const after = dock.facts.at(-1)?.seq ?? 0;
    await start('a', '3');
    await dock.waitFor('logExportEnded', WAIT_MS);
    expect(dock.state.connected).toBe(false);
    expect(dock.logUploads).toHaveLength(1);
    await dock.waitFor('online', WAIT_MS, { after });
    expect(statusesHeard()).not.toContain('ok');
  });

  it('ends when the dock is stopped', async () => {
    await aDock();
    bucket.hold();
    await start('a', '3');
    await bucket.until(() => bucket.requests.length === 1);
    await dock.stop();
    await bucket.until(() => bucket.cut === 1);
    expect(dock.facts.find(({ name }) => name === 'logExportEnded')?.detail).toEqual({ bid: 'a', status: 'stopped' });
  });

  it('is refused, ignored and left without an answer by the same faults as a flight', async () => {
    await aDock({ faults: 'refuse:fileupload_start=319001,drop-reply=fileupload_update' });
    expect(await start('a', '3')).toBe(319001);
    expect(dock.state.exportingLogs).toBe(false);
    dock.setFault('silent=fileupload_list');
    await cloud.command('fileupload_list', { module_list: ['3'] });
    await cloud.command('fileupload_update', { status: 'cancel', module_list: ['3'] });
    await dock.waitFor(({ received }) => received.length === 3, WAIT_MS);
    expect(dock.repliesSent.map(({ method, result }) => [method, result])).toEqual([['fileupload_start', 319001]]);
    expect(dock.facts.map(({ name }) => name)).not.toContain('logListed');
  });
});
