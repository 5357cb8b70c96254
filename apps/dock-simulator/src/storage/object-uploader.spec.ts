import { FakeObjectStorage } from './object-storage.fake.js';
import { isSpoken, ObjectUploader } from './object-uploader.js';
import type { StorageAccess } from './storage-access.js';

const MIB = 1024 * 1024;
const patience = new AbortController().signal;

let storage: FakeObjectStorage;
let uploader: ObjectUploader;

function accessTo(endpoint: string): StorageAccess {
  const where = { provider: 'minio', endpoint, region: 'us-east-1', bucket: 'media' };
  return { ...where, accessKeyId: 'KEY', secretAccessKey: 's', securityToken: 't' };
}

beforeEach(async () => {
  storage = await FakeObjectStorage.start();
  uploader = new ObjectUploader(accessTo(storage.url));
});
afterEach(async () => {
  uploader.close();
  await storage.stop();
});

describe('an upload', () => {
  it('puts a small object in one piece', async () => {
    const outcome = await uploader.upload('a/b.jpeg', Buffer.from('a picture'), patience);
    expect(outcome).toEqual({ kind: 'stored', etag: '101a0e3e2f58188b3e2ffc1057316c13' });
    expect(storage.objects.get('a/b.jpeg')?.toString()).toBe('a picture');
    expect(storage.requests).toEqual([{ method: 'PUT', key: 'a/b.jpeg', part: '', accessKeyId: 'KEY' }]);
  });

  it('puts a large object in parts', async () => {
    const body = Buffer.alloc(11 * MIB, 'large');
    expect(await uploader.upload('large', body, patience)).toMatchObject({ kind: 'stored' });
    expect(storage.objects.get('large')?.equals(body)).toBe(true);
    expect(storage.requests.filter(({ part }) => Number(part) > 0)).toHaveLength(3);
  });

  it('is refused in the words of the storage, after one try', async () => {
    storage.refuses = () => ({ status: 400, code: 'ExpiredToken' });
    expect(await uploader.upload('a', Buffer.from('a'), patience)).toEqual({ kind: 'refused', code: 'ExpiredToken' });
    expect(storage.requests).toHaveLength(1);
  });

  it('that is refused in its middle takes its parts back', async () => {
    storage.refuses = ({ part }) => (part === '2' ? { status: 403, code: 'AccessDenied' } : undefined);
    const outcome = await uploader.upload('large', Buffer.alloc(11 * MIB), patience);
    expect(outcome).toEqual({ kind: 'refused', code: 'AccessDenied' });
    expect(storage.openUploads.size).toBe(0);
  });

  it('fails when the storage is in trouble, or is not there', async () => {
    storage.refuses = () => ({ status: 503, code: 'SlowDown' });
    expect(await uploader.upload('a', Buffer.from('a'), patience)).toEqual({ kind: 'failed', code: 'SlowDown' });
    await storage.stop();
    expect(await uploader.upload('a', Buffer.from('a'), patience)).toMatchObject({ kind: 'failed' });
  });

  it('ends at once when it is aborted, and its connection with it', async () => {
    const release = storage.hold();
    const power = new AbortController();
    const outcome = uploader.upload('a', Buffer.from('a'), power.signal);
    await storage.until(() => storage.requests.length === 1);
    power.abort();
    expect(await outcome).toEqual({ kind: 'aborted' });
    uploader.close();
    await storage.until(() => storage.cut === 1);
    release();
  });

  it('does not begin when it was aborted before', async () => {
    const outcome = await uploader.upload('a', Buffer.from('a'), AbortSignal.abort());
    expect(outcome).toEqual({ kind: 'aborted' });
    expect(storage.requests).toEqual([]);
  });
});

it('does not pretend to speak what it cannot', () => {
  expect(['aws', 'minio', 'ali', ''].filter(isSpoken)).toEqual(['aws', 'minio']);
});
