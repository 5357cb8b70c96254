import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@aerie/testing';
import type { DownloadFile } from './download-file.js';
import type { FileRow } from './file.read-model.js';
import { WriteBundle } from './write-bundle.js';

let storage: Server;
let closed = 0;
beforeAll(async () => {
  // Begins each object, and ends that which is asked for as a whole.
  storage = createServer((request, response) => {
    response.on('close', () => closed++);
    if (request.url === '/whole') return void response.end('log');
    response.writeHead(200).write(Buffer.alloc(100_000, 1));
  });
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  storage.closeAllConnections();
  storage.close();
});

const aFile = { dock_sn: 'D', id: 'f', module: 'dock', boot_indexes: [1], size_bytes: '1', stored_at: new Date(0) };
const files = [{ ...aFile, object_key: 'a.tar', deleted_at: null }] as unknown as readonly FileRow[];
const bundles = (): WriteBundle =>
  new WriteBundle({
    forBundle: async () => ({ url: `http://127.0.0.1:${(storage.address() as AddressInfo).port}/` }),
  } as unknown as DownloadFile);

// An error that nobody hears fails a test by itself.
it('outlives a reader who goes in the middle, and reads on for nobody', async () => {
  const closedBefore = closed;
  const zip = await bundles().open({ keyId: 'k', organisationId: 'o' }, files);
  zip.on('error', () => undefined);
  for (let bytes = 0; bytes < 50_000;) bytes += ((await once(zip, 'data')) as [Buffer])[0].length;
  zip.destroy();
  await once(zip, 'close');

  await eventually('the storage was let go', () => closed > closedBefore, 3_000);
});

it('asks for the address of an archive when its turn comes, because addresses live for minutes only', async () => {
  const asked: string[] = [];
  const packing = new WriteBundle({
    async forBundle(_caller: unknown, { id }: FileRow) {
      asked.push(id);
      return { url: `http://127.0.0.1:${(storage.address() as AddressInfo).port}/whole` };
    },
  } as unknown as DownloadFile);
  const three = ['a', 'b', 'c'].map((id) => ({ ...files[0], id })) as unknown as readonly FileRow[];
  const zip = await packing.open({ keyId: 'k', organisationId: 'o' }, three);
  expect(asked).toEqual(['a']);
  zip.resume();
  await once(zip, 'end');
  expect(asked).toEqual(['a', 'b', 'c']);
});

it('packs no more than eight at once', async () => {
  const packing = bundles();
  const open = await Promise.all(
    Array.from({ length: 8 }, () => packing.open({ keyId: 'k', organisationId: 'o' }, files)),
  );
  await expect(packing.open({ keyId: 'k', organisationId: 'o' }, files)).rejects.toMatchObject({
    code: 'too_many_bundles',
  });
  for (const zip of open) {
    zip.on('error', () => undefined);
    zip.destroy();
  }
  await Promise.all(open.map((zip) => once(zip, 'close')));
  const again = await packing.open({ keyId: 'k', organisationId: 'o' }, files);
  again.on('error', () => undefined);
  again.destroy();
});
