import { createHash } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type StoredObject,
  headObjectsQuestion,
  listObjectsQuestion,
  presignDownloadQuestion,
} from '@aerie/bus-contract';
import type { ToldFile } from '@aerie/log-core';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { anExport, apply, logTestDatabase, logger, prefixOf } from '../../fixtures/log-database.js';
import type { LockedUpload } from '../store/upload.row.js';
import { CheckObjects } from './check-objects.js';
import { ReadObject } from '../../files/read-object.js';
import { HashObject } from './hash-object.js';

let nats: PrivateServer;
let connection: NatsConnection;
let dataSource: DataSource;
let drop: () => Promise<void>;
let storage: Server;
/** What is in the storage, by key. */
const contents = new Map<string, string>();
let isDown = false;
/** What happens while the storage is looked into. */
let meanwhile: (() => Promise<unknown>) | undefined;

const objectAt = (objectKey: string): StoredObject => ({
  objectKey,
  sizeBytes: contents.get(objectKey)?.length ?? 0,
  // As of an upload in parts: it says nothing of the content.
  etag: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-2',
});

beforeAll(async () => {
  const database = await logTestDatabase(1);
  drop = database.drop;
  [dataSource] = database.pools as [DataSource];
  storage = createServer((request, response) =>
    response.end(contents.get(decodeURIComponent(request.url ?? '').slice(1))),
  );
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'check-spec', logger);
  answer(connection, headObjectsQuestion, ({ objectKeys }) => {
    if (isDown) return { objects: 'the storage is away' as never };
    return { objects: objectKeys.filter((key) => contents.has(key)).map(objectAt) };
  });
  answer(connection, listObjectsQuestion, ({ prefix }) => ({
    objects: [...contents.keys()].filter((key) => key.startsWith(prefix)).map(objectAt),
  }));
  answer(connection, presignDownloadQuestion, ({ objectKey }) => {
    const { port } = storage.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/${encodeURIComponent(objectKey)}`, expiresAtMs: Date.now() + 60_000 };
  });
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
  storage?.close();
  await drop?.();
}, 30_000);

/** An export that has ended, with what its dock says of it. */
async function anEnded(files: readonly ToldFile[] = []): Promise<LockedUpload> {
  const upload = await anExport(dataSource);
  await apply(dataSource, upload.id, { type: 'exportEnded', attempt: 1, files });
  return upload;
}

class Looking extends HashObject {
  override async hash(...[upload, object]: Parameters<HashObject['hash']>) {
    await meanwhile?.();
    return super.hash(upload, object);
  }
}
const check = (upload: LockedUpload) =>
  new CheckObjects({ dataSource, connection, hashObject: new Looking(connection, new ReadObject()), logger }).check(
    upload,
  );

const told = (module: 'dock' | 'aircraft', content: string, key: string | null = null): ToldFile => ({
  ...{ module, progress: 'ok', key, sizeBytes: content.length, percent: 100, dockResult: null },
  fingerprint: createHash('md5').update(content).digest('hex'),
});
const statesOf = (upload: LockedUpload | undefined): Record<string, string> =>
  Object.fromEntries((upload?.files ?? []).map(({ module, state }) => [module, state]));

it('reads an archive whose tag says nothing, and keeps the hash of its content', async () => {
  const upload = await anEnded([told('dock', 'dock log'), told('aircraft', 'aircraft log')]);
  contents.set(`${prefixOf(upload)}dock.tar`, 'dock log').set(`${prefixOf(upload)}aircraft.tar`, 'aircraft log');
  const advanced = await check(upload);
  expect(advanced?.upload.state).toBe('stored');
  const [file] = await dataSource.query<{ sha256: string; proof: string }[]>(
    `SELECT sha256, proof FROM log.file WHERE upload_id = $1 AND module = 'dock'`,
    [upload.id],
  );
  expect(file).toEqual({ sha256: createHash('sha256').update('dock log').digest('hex'), proof: 'fingerprint' });
});

it('K3, N64: does not take what differs in its content for stored', async () => {
  const upload = await anEnded([told('dock', 'dock log'), told('aircraft', 'aircraft log')]);
  contents.set(`${prefixOf(upload)}dock.tar`, 'dock l0g').set(`${prefixOf(upload)}aircraft.tar`, 'aircraft log');
  const advanced = await check(upload);
  expect(advanced?.upload).toMatchObject({ state: 'listed', cause_code: 'objects_differ' });
  expect(statesOf(advanced?.upload)).toEqual({ dock: 'wanted', aircraft: 'stored' });
});

it('K2: takes no archive of the aircraft for that of the dock, whose serial number is in every key', async () => {
  const upload = await anEnded();
  contents.set(`${prefixOf(upload)}aircraft.tar`, 'aircraft log');
  expect(statesOf((await check(upload))?.upload)).toEqual({ dock: 'wanted', aircraft: 'stored' });
});

it('K2: finds what old firmware has put under keys of its own, by the serial number in them', async () => {
  const upload = await anEnded();
  contents.set(`${prefixOf(upload)}${upload.dock_sn}/log_1.log`, 'dock log');
  contents.set(`${prefixOf(upload)}${upload.aircraft_sn ?? ''}/log_1.log`, 'aircraft log');
  const advanced = await check(upload);
  expect(advanced?.upload.state).toBe('stored');
});

it('takes one object for the archive of one module, also when the dock names it for both', async () => {
  const key = (upload: LockedUpload) => `${prefixOf(upload)}both.tar`;
  const exporting = await anExport(dataSource);
  const files = [told('dock', 'dock log', key(exporting)), told('aircraft', 'aircraft log', key(exporting))];
  await apply(dataSource, exporting.id, { type: 'exportEnded', attempt: 1, files });
  // The second was written over the first.
  contents.set(key(exporting), 'aircraft log');
  expect(statesOf((await check(exporting))?.upload)).toEqual({ dock: 'wanted', aircraft: 'stored' });

  const alike = await anExport(dataSource);
  const same = [told('dock', 'log', key(alike)), told('aircraft', 'log', key(alike))];
  await apply(dataSource, alike.id, { type: 'exportEnded', attempt: 1, files: same });
  contents.set(key(alike), 'log');
  const advanced = await check(alike);
  expect(advanced?.upload).toMatchObject({ state: 'listed', cause_code: 'objects_missing' });
  expect(statesOf(advanced?.upload)).toEqual({ dock: 'stored', aircraft: 'wanted' });
});

it('takes nothing that the dock has not named while it may export, because more may come', async () => {
  const upload = await anExport(dataSource);
  await apply(dataSource, upload.id, { type: 'exportSilent' });
  contents.set(`${prefixOf(upload)}${upload.dock_sn}/log_1.log`, 'the first of several');
  const silent = await check(upload);
  expect([silent?.upload.state, statesOf(silent?.upload)]).toEqual([
    'stopping',
    { dock: 'wanted', aircraft: 'wanted' },
  ]);
  await apply(dataSource, upload.id, { type: 'stopAccepted', attempt: 1, sentAtMs: Date.now() + 1_000 });
  expect(statesOf((await check(upload))?.upload)).toEqual({ dock: 'stored', aircraft: 'wanted' });
});

it('decides nothing while the storage does not answer', async () => {
  const upload = await anEnded();
  isDown = true;
  const advanced = await check(upload);
  isDown = false;
  expect(advanced?.upload).toMatchObject({ state: 'verifying', cause_code: 'storage_silent', failures: 0 });
});

it('looks again when the dock has said more while it was looked', async () => {
  const upload = await anEnded([told('dock', 'dock log'), told('aircraft', 'aircraft log')]);
  const elsewhere = `${prefixOf(upload)}${upload.dock_sn}/late.log`;
  contents.set(elsewhere, 'dock log').set(`${prefixOf(upload)}aircraft.tar`, 'aircraft log');
  contents.set(`${prefixOf(upload)}dock.tar`, 'half a log');
  // Same size as told, so that it has to be read.
  contents.set(`${prefixOf(upload)}dock.tar`, 'dock l0g');
  meanwhile = async () => {
    meanwhile = undefined;
    const files = [told('dock', 'dock log', elsewhere)];
    await apply(dataSource, upload.id, { type: 'exportEnded', attempt: 1, files });
  };
  expect((await check(upload))?.upload.state).toBe('stored');
});
