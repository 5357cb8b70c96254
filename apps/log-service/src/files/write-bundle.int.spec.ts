import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { presignDownloadQuestion } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { DownloadFile } from './download-file.js';
import type { FileRow } from './file.read-model.js';
import { ReadObject } from './read-object.js';
import { WriteBundle } from './write-bundle.js';

let nats: PrivateServer;
let connection: NatsConnection;
let storage: Server;
/** Objects whose address was asked for. */
const asked: string[] = [];
let closed = 0;
beforeAll(async () => {
  // Begins each object, and ends only those that are called whole.
  storage = createServer((request, response) => {
    response.on('close', () => closed++);
    if (request.url?.startsWith('/whole') === true) response.end('log');
    else if (request.url?.startsWith('/gone') === true) response.writeHead(404).end();
    else if (request.url?.startsWith('/broken') === true) {
      response.writeHead(200, { 'content-length': 1_000 }).write('half');
      setImmediate(() => response.destroy());
    } else response.writeHead(200).write(Buffer.alloc(100_000, 1));
  });
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'bundle-spec', createLogger('bundle-spec', 'silent'));
  answer(connection, presignDownloadQuestion, ({ objectKey }) => {
    asked.push(objectKey);
    const { port } = storage.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/${objectKey}`, expiresAtMs: Date.now() + 60_000 };
  });
}, 60_000);
afterAll(async () => {
  storage?.closeAllConnections();
  storage?.close();
  await connection?.close();
  await nats?.remove();
}, 30_000);

const aFile = (objectKey: string, overrides: Partial<FileRow> = {}): FileRow => ({
  ...{ id: objectKey, upload_id: 'u', organisation_id: 'o', dock_sn: 'D', device_sn: 'D', module: 'dock' },
  ...{ mission_id: null, attempt: 1, boot_indexes: [1], object_key: objectKey, size_bytes: '3', etag: 'e' },
  ...{ fingerprint: null, sha256: null, proof: 'size', stored_at: new Date(0), deleted_at: null },
  ...overrides,
});
const caller = { keyId: 'k', organisationId: 'o', roles: ['viewer'], siteIds: null, dockSns: null };
const bundles = (): WriteBundle => new WriteBundle(new DownloadFile(connection), new ReadObject());

// An error that nobody hears fails a test by itself.
it('outlives a reader who goes in the middle, and reads on for nobody', async () => {
  const closedBefore = closed;
  const zip = await bundles().open(caller, [aFile('endless')]);
  zip.on('error', () => undefined);
  let bytes = 0;
  zip.on('data', (piece: Buffer) => (bytes += piece.length));
  await eventually('the half of it was read', () => bytes >= 50_000);
  zip.destroy();
  await once(zip, 'close');

  await eventually('the storage was let go', () => closed > closedBefore);
});

it('asks for the address of an archive when its turn comes, because addresses live for minutes only', async () => {
  asked.length = 0;
  const zip = await bundles().open(
    caller,
    ['whole-1', 'whole-2', 'whole-3'].map((key) => aFile(key)),
  );
  expect(asked).toEqual(['whole-1']);
  zip.resume();
  await once(zip, 'end');
  expect(asked).toEqual(['whole-1', 'whole-2', 'whole-3']);
});

it('begins nothing where one of the archives is gone', async () => {
  asked.length = 0;
  const gone = aFile('whole-2', { deleted_at: new Date(0) });
  await expect(bundles().open(caller, [aFile('whole-1'), gone])).rejects.toMatchObject({ code: 'file_deleted' });
  expect(asked).toEqual([]);
});

it.each(['gone', 'broken'])(
  'ends with an error and is no whole ZIP where an archive is %s in the storage',
  async (key) => {
    const zip = await bundles().open(
      caller,
      ['whole-1', key, 'whole-2'].map((objectKey) => aFile(objectKey)),
    );
    let ended = false;
    zip.on('end', () => (ended = true));
    const failed = once(zip, 'error');
    zip.resume();
    await failed;
    await eventually('the answer is cut', () => zip.closed);
    expect(ended).toBe(false);
  },
);

it('packs no more than eight at once', async () => {
  const packing = bundles();
  const open = await Promise.all(Array.from({ length: 8 }, () => packing.open(caller, [aFile('endless')])));
  await expect(packing.open(caller, [aFile('endless')])).rejects.toMatchObject({ code: 'too_many_bundles' });
  for (const zip of open) {
    zip.on('error', () => undefined);
    zip.destroy();
  }
  await Promise.all(open.map((zip) => once(zip, 'close')));
  const again = await packing.open(caller, [aFile('endless')]);
  again.on('error', () => undefined);
  again.destroy();
});
