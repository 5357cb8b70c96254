import { aDock, cloud, dock, fly, settled, useRig, WAIT_MS } from '../rig.fake.js';
import type { DockOptions } from '../settings.js';
import { FakeObjectStorage } from '../storage/object-storage.fake.js';
import { objectOf } from '../wire.js';

useRig();

let bucket: FakeObjectStorage;
beforeEach(async () => {
  bucket = await FakeObjectStorage.start();
});
afterEach(() => bucket.stop());

/** A dock online, with a cloud that gives it a storage. */
async function aDockWithStorage(options: Partial<DockOptions> = {}): Promise<void> {
  await aDock({ mediaBytes: 1_000, ...options });
  cloud.storage = bucket.config('first');
}

const uploaded = (count: number): Promise<void> =>
  dock.waitFor(({ mediaUploaded }) => mediaUploaded.length === count, WAIT_MS);
const remaining = (count: number) =>
  cloud.hears(({ data }) => objectOf(data['media_file_detail'])['remain_upload'] === count);

describe('a dock after a flight', () => {
  it('uploads as many files as it said, and asks for an answer to each', async () => {
    await aDockWithStorage();
    const flightId = await fly();
    await uploaded(4);
    await settled();
    expect(dock.flightsFlown).toMatchObject([{ flightId, mediaCount: 4 }]);
    const sizes = dock.mediaUploaded.map(({ key }) => bucket.objects.get(key)?.length);
    expect(sizes).toEqual([1_000, 1_000, 1_000, 1_000]);
    const told = cloud.of('file_upload_callback');
    expect(told.map(({ data }) => objectOf(data['file'])['object_key'])).toEqual(
      dock.mediaUploaded.map(({ key }) => key),
    );
    expect(told.every(({ body }) => body['need_reply'] === 1)).toBe(true);
    expect(dock.answeredEvents.filter(({ method }) => method === 'file_upload_callback')).toHaveLength(4);
  });

  it('says in its telemetry how many files wait', async () => {
    await aDockWithStorage();
    const release = bucket.hold();
    await fly();
    await remaining(4);
    const heardSoFar = cloud.heard.length;
    release();
    await uploaded(4);
    await cloud.hears(
      (message) =>
        cloud.heard.indexOf(message) >= heardSoFar &&
        objectOf(message.data['media_file_detail'])['remain_upload'] === 0,
    );
    expect(dock.state.mediaWaiting).toBe(0);
  });

  it('keeps its prefix until it is rebooted (D7)', async () => {
    await aDockWithStorage();
    // Keys that are over at once: it asks before every file.
    cloud.storage = bucket.config('first', { lifeSeconds: 0 });
    await fly();
    await uploaded(4);
    cloud.storage = bucket.config('second');
    await fly();
    await uploaded(8);
    const { seq } = dock.facts.at(-1) ?? { seq: 0 };
    await dock.reboot();
    await dock.waitFor('online', WAIT_MS, { after: seq });
    await fly();
    await uploaded(12);
    expect(cloud.of('storage_config_get')).toHaveLength(6);
    const prefixes = dock.mediaUploaded.map(({ key }) => key.split('/')[0]);
    expect(new Set(prefixes.slice(0, 8))).toEqual(new Set(['first']));
    expect(new Set(prefixes.slice(8))).toEqual(new Set(['second']));
  });

  it('goes on with its uploads when it is online again', async () => {
    await aDockWithStorage();
    const release = bucket.hold();
    await fly();
    await bucket.until(() => bucket.requests.length === 1);
    await dock.goOffline();
    await bucket.until(() => bucket.cut === 1);
    release();
    dock.goOnline();
    await uploaded(4);
  });

  it('that is stopped ends its upload at once', async () => {
    await aDockWithStorage();
    bucket.hold();
    await fly();
    await bucket.until(() => bucket.requests.length === 1);
    await dock.stop();
    await bucket.until(() => bucket.cut === 1);
    expect(dock.mediaUploaded).toEqual([]);
  });

  it('tells of its files in the words of its firmware', async () => {
    await aDockWithStorage({ dialect: 'seed' });
    await fly();
    await uploaded(4);
    const told = await cloud.hears(({ method }) => method === 'file_upload_callback');
    expect(told.body).toMatchObject({ need_reply: true });
    expect(told.data).toMatchObject({ object_key: dock.mediaUploaded[0]?.key });
  });

  it('uploads nothing of a flight on which it kept silent', async () => {
    await aDockWithStorage({ faults: 'mute=landed' });
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ mediaCount: 4 }]);
    expect(dock.facts.map(({ name }) => name)).not.toContain('mediaTaken');
  });
});
