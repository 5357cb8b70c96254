import type { DockHandle } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { type LogUploadView, Logs } from './logs.js';
import { type TimelineEntry, World } from './world.js';

let world: World;
let logs: Logs;
beforeAll(async () => {
  world = await World.start();
  logs = new Logs(world);
}, 120_000);
afterAll(() => world.stop(), 60_000);

const exportsOf = (dock: DockHandle) => dock.facts.filter(({ name }) => name === 'logExportBegan');

/** Asks for the newest logs of a dock whose first export goes wrong like this, and of which the second is sound. */
async function oneBadExport(fault: string): Promise<{ readonly dock: DockHandle; readonly upload: LogUploadView }> {
  const dock = await world.dock({ speed: 200 });
  dock.setFault(fault);
  const { id } = await logs.request(dock.sn);
  await dock.waitFor('logExportBegan', 20_000);
  dock.clearFaults();
  return { dock, upload: await logs.ended(id) };
}

/** Each stored file is what the dock has sent under this key. */
async function expectStored(dock: DockHandle, upload: LogUploadView): Promise<void> {
  expect(upload.state).toBe('stored');
  const files = await logs.filesOf(`uploadId=${upload.id}`);
  expect(files.map(({ module }) => module).sort()).toEqual(['aircraft', 'dock']);
  for (const file of files) {
    const sent = dock.logUploads.find(({ key }) => key === file.objectKey);
    expect({ sizeBytes: file.sizeBytes, md5: await logs.downloadedMd5(file.id) }).toEqual({
      sizeBytes: sent?.sizeBytes,
      md5: sent?.md5,
    });
  }
}

it('K1: begins anew with other keys in another folder when the keys end in the middle', async () => {
  const { dock, upload } = await oneBadExport('log-keys-expire');
  await expectStored(dock, upload);
  expect(upload).toMatchObject({ attempt: 2, failures: 1 });
  expect(upload.attempts[0]?.cause).toMatchObject({ code: 'reported_by_dock', dockResult: 324_019 });
  const starts = world.tap.of('services', 'fileupload_start').filter(({ topic }) => topic.includes(`/${dock.sn}/`));
  const keys = starts.map(({ data }) => (data['credentials'] as { access_key_id: string }).access_key_id);
  const folders = starts.map(({ data }) => data['file_store_dir']);
  expect([new Set(keys).size, new Set(folders).size]).toEqual([2, 2]);
}, 90_000);

it('K1: begins anew when the keys of the dock are called back in the middle of an upload', async () => {
  const dock = await world.dock({ speed: 1, logBytes: 60_000 });
  const { id } = await logs.request(dock.sn, { latest: { count: 1, modules: ['dock'] } });
  await dock.waitFor('logExportBegan', 20_000);
  const revoked = good(await world.api.post<{ id: string }>('/storage/revoke', { dockSn: dock.sn, reason: 'a test' }));
  await eventually('the storage has taken it', async () => {
    const { items } = good(await world.api.get<{ items: { id: string; state: string }[] }>('/storage/revocations'));
    return items.find((entry) => entry.id === revoked.id && entry.state === 'denied');
  });
  dock.setSpeed(200);
  const upload = await logs.ended(id);
  expect(upload).toMatchObject({ state: 'stored', attempt: 2 });
  expect(upload.attempts[0]?.cause).toMatchObject({ code: 'reported_by_dock', dockResult: 324_019 });
}, 90_000);

it('K2: takes what is in the storage when the last word of the dock is lost', async () => {
  const { dock, upload } = await oneBadExport('log-last-event');
  await expectStored(dock, upload);
  expect(upload).toMatchObject({ attempt: 1, failures: 0 });
  expect(exportsOf(dock)).toHaveLength(1);
}, 90_000);

it.each([
  ['nothing is there', 'log-claims-ok', 'objects_missing'],
  ['less is there', 'log-short', 'objects_differ'],
  ['something else is there', 'log-fingerprint', 'objects_differ'],
])(
  'K3, N64: does not believe a dock that says ok while %s, and asks again',
  async (_what, fault, cause) => {
    const { dock, upload } = await oneBadExport(fault);
    await expectStored(dock, upload);
    expect(upload).toMatchObject({ attempt: 2, failures: 1 });
    expect(upload.attempts[0]?.cause?.code).toBe(cause);
  },
  90_000,
);

it('K4, N63: takes nothing of the word of a dock that names a key outside of its folder, and raises the alarm', async () => {
  const { upload } = await oneBadExport('log-elsewhere');
  const { items } = good(await world.api.get<{ items: TimelineEntry[] }>(`/log-uploads/${upload.id}/timeline`));
  const refusals = items.filter(({ what }) => what === 'foreignKey');
  expect(refusals.length).toBeGreaterThan(0);
  const { claimedKey, expectedPrefix } = refusals[0]?.detail ?? {};
  expect(String(claimedKey).startsWith(String(expectedPrefix))).toBe(false);
  // What is in its own folder was looked at there; nothing of the rest is listed.
  for (const { objectKey } of await logs.filesOf(`uploadId=${upload.id}`)) {
    expect(objectKey.startsWith(String(expectedPrefix))).toBe(true);
  }
  expect(world.stack.process('log-service').lastLines()).toContain('outside of its prefix');
}, 90_000);

it('K6: begins anew when the dock reboots in the middle of an upload', async () => {
  const dock = await world.dock({ speed: 200 });
  dock.setFault('reboot=exporting');
  const { id } = await logs.request(dock.sn);
  await dock.waitFor('reboot', 20_000);
  dock.clearFaults();
  const upload = await logs.ended(id, 90_000);
  await expectStored(dock, upload);
  expect(upload).toMatchObject({ attempt: 2, failures: 1 });
  expect(upload.attempts[0]?.cause?.code).toBe('silent');
}, 120_000);

it('asks again for what is missing only, when the first of two archives came through', async () => {
  const { dock, upload } = await oneBadExport('log-half');
  await expectStored(dock, upload);
  expect(upload.attempt).toBe(2);
  const files = await logs.filesOf(`uploadId=${upload.id}`);
  expect(files.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
  expect(dock.logUploads).toHaveLength(2);
}, 90_000);

it('K10: keeps what is complete when an upload is called off in the middle', async () => {
  const dock = await world.dock({ speed: 10, logBytes: 30_000 });
  const { id } = await logs.request(dock.sn);
  await dock.waitFor('logFileUploaded', 30_000);
  good(await world.api.post<LogUploadView>(`/log-uploads/${id}/cancel`, {}));
  const upload = await logs.ended(id);
  const files = await logs.filesOf(`uploadId=${id}`);
  expect(files.length).toBe(dock.logUploads.length);
  // Whichever was first: the last archive or the cancel.
  expect(upload.state).toBe(files.length === 2 ? 'stored' : 'canceled');
  await dock.waitFor((d) => !d.state.exportingLogs, 10_000);
  const again = await world.api.post<{ code: string }>(`/log-uploads/${id}/cancel`, {});
  expect(again.status).toBe(upload.state === 'canceled' ? 200 : 409);
}, 90_000);

it('collects the logs of the dock alone while the aircraft is off, and says why', async () => {
  const dock = await world.dock({ speed: 200 });
  dock.setFault('aircraft-off');
  const { id } = await logs.request(dock.sn);
  const upload = await logs.ended(id);
  expect(upload).toMatchObject({ state: 'partly_stored', cause: { code: 'aircraft_off' } });
  expect(upload.cause?.advice).toContain('drone_open');
}, 60_000);

it('collects from a dock that was off the broker when it was asked, once it is back', async () => {
  const dock = await world.dock({ speed: 200 });
  await dock.goOffline();
  const { id } = await logs.request(dock.sn);
  // Not known as away yet: that takes half a minute of silence. Until then the broker says that nobody listens.
  dock.goOnline();
  await dock.waitFor('online', 30_000);
  await expectStored(dock, await logs.ended(id, 90_000));
}, 120_000);

it('speaks with a dock of protocol 1.3.0, which chooses the keys itself', async () => {
  const dock = await world.dock({ speed: 200, dialect: 'seed' }, '1.3.0');
  const { id } = await logs.request(dock.sn);
  const upload = await logs.ended(id);
  await expectStored(dock, upload);
  expect(dock.logUploads[0]?.key).toMatch(/\.log$/);
}, 60_000);

it('K11: fails with the reason of the dock when the storage takes nothing more, after three attempts', async () => {
  const dock = await world.dock({ speed: 200 });
  await world.stack.restartWith('object-store', { OBJECT_STORE_MAX_OBJECT_BYTES: '1000' });
  const { id } = await logs.request(dock.sn);
  const upload = await logs.ended(id);
  expect(upload).toMatchObject({ state: 'failed', attempt: 3, failures: 3 });
  expect(upload.cause).toMatchObject({ code: 'reported_by_dock', dockResult: 324_019 });
  expect(dock.facts.filter(({ name }) => name === 'logFileFailed')[0]?.detail).toMatchObject({
    code: 'EntityTooLarge',
  });
  await world.stack.restartWith('object-store', {});
}, 90_000);
