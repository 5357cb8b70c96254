import { type ListedObject, ObjectDoor, type StoredObject } from '../providers/storage.provider.js';
import { StoredObjects } from './stored-objects.js';

const ORGANISATION = '0b0f3c6e-6f0a-4c86-9b1c-1f6d3f0d4a11';
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const below = `org/${ORGANISATION}/dock/D-1/logs/u/1/`;

const notFound = Object.assign(new Error('NotFound'), { $metadata: { httpStatusCode: 404 } });
const noBucket = Object.assign(new Error('gone'), { name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } });
const forbidden = Object.assign(new Error('AccessDenied'), { $metadata: { httpStatusCode: 403 } });

/** A storage that answers in its own time, and counts what it is asked. */
class FakeDoor extends ObjectDoor {
  readonly asked: string[] = [];
  most = 0;
  private now = 0;

  constructor(private readonly failures: Readonly<Record<string, Error>> = {}) {
    super();
  }

  override head = (key: string): Promise<StoredObject> => this.answer(key, { sizeBytes: 3, etag: 'e' });
  override delete = (key: string): Promise<void> => this.answer(key, undefined);
  override listObjects = (prefix: string): Promise<readonly ListedObject[]> => this.answer(prefix, []);
  override put = (key: string): Promise<void> => this.answer(key, undefined);
  override putInParts = (key: string): Promise<void> => this.answer(key, undefined);
  override get = (key: string): Promise<Buffer> => this.answer(key, Buffer.alloc(0));
  override list = (prefix: string): Promise<readonly string[]> => this.answer(prefix, []);
  override bucketRegion = (): Promise<string | null> => this.answer('', null);
  override stop = (): void => undefined;

  private async answer<Answer>(key: string, answer: Answer): Promise<Answer> {
    this.asked.push(key);
    this.most = Math.max(this.most, ++this.now);
    await new Promise(setImmediate);
    this.now--;
    const failure = this.failures[key];
    if (failure !== undefined) throw failure;
    return answer;
  }
}

let opened = 0;
function objectsBehind(door: FakeDoor): StoredObjects {
  opened = 0;
  const provider = {
    asService: () => {
      opened++;
      return door;
    },
  };
  return new StoredObjects({ of: async () => ({ provider }) as never });
}

describe('every key and prefix lies below the organisation that asks', () => {
  it.each([
    ['is of another organisation', `org/${OTHER}/dock/D-1/logs/u/1/a`],
    ['begins with the id of the organisation', `org/${ORGANISATION}0/dock/D-1/a`],
    ['climbs', `org/${ORGANISATION}/../${OTHER}/a`],
    ['climbs at its end', `org/${ORGANISATION}/dock/..`],
    ['begins with a slash', `/org/${ORGANISATION}/a`],
    ['is a route, which is mission-service’s', `${ORGANISATION}/waylines/${'a'.repeat(64)}.kmz`],
    ['is empty', ''],
  ])('so none is told, listed or deleted that %s, nor what was asked for with it', async (_what, key) => {
    const door = new FakeDoor();
    const objects = objectsBehind(door);
    const refused = (field: string) => ({ kind: 'invalid', fields: [{ field }] });
    await expect(objects.head(ORGANISATION, [`${below}a`, key])).rejects.toMatchObject(refused('objectKeys'));
    await expect(objects.delete(ORGANISATION, [`${below}a`, key])).rejects.toMatchObject(refused('objectKeys'));
    await expect(objects.list(ORGANISATION, `${key}/`, 10)).rejects.toMatchObject(refused('prefix'));
    expect(door.asked).toEqual([]);
  });

  it.each(['', '/', 'org/', `org/${ORGANISATION}`, `${below}1.tar`])('so %j is no prefix', async (prefix) => {
    const listing = objectsBehind(new FakeDoor()).list(ORGANISATION, prefix, 10);
    await expect(listing).rejects.toMatchObject({ kind: 'invalid', fields: [{ field: 'prefix' }] });
  });

  it('and the organisation itself is one', async () => {
    await expect(objectsBehind(new FakeDoor()).head('..', ['org/../a'])).rejects.toMatchObject({
      fields: [{ field: 'organisationId' }],
    });
  });
});

describe('a storage', () => {
  const keys = Array.from({ length: 20 }, (_, index) => `${below}${index}`);

  it('is asked for a few objects at once, through one client', async () => {
    const door = new FakeDoor();
    const objects = objectsBehind(door);
    await expect(objects.head(ORGANISATION, keys)).resolves.toHaveLength(20);
    await expect(objects.delete(ORGANISATION, keys)).resolves.toEqual(keys);
    expect([door.asked.length, door.most, opened]).toEqual([40, 8, 1]);
  });

  it('that says that an object is not there has answered', async () => {
    const objects = objectsBehind(new FakeDoor({ [`${below}1`]: notFound }));
    const asked = [`${below}0`, `${below}1`];
    expect((await objects.head(ORGANISATION, asked)).map(({ objectKey }) => objectKey)).toEqual([`${below}0`]);
    await expect(objects.delete(ORGANISATION, asked)).resolves.toEqual(asked);
  });

  it.each([
    ['that the bucket is gone', noBucket],
    ['anything else', forbidden],
  ])('that says %s has not, and no object is taken for missing', async (_what, failure) => {
    const objects = objectsBehind(new FakeDoor({ [`${below}1`]: failure, [below]: failure }));
    const asked = [`${below}0`, `${below}1`];
    await expect(objects.head(ORGANISATION, asked)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(objects.list(ORGANISATION, below, 10)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(objects.delete(ORGANISATION, asked)).resolves.toEqual([`${below}0`]);
  });
});
