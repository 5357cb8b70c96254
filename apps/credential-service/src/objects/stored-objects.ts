import type { StoredObject } from '@aerie/bus-contract';
import { InvalidError } from '@aerie/kernel';
import { ownerOfObject } from '../downloads/object-key.js';
import { isMissing, unavailable } from '../providers/provider-error.js';
import type { ObjectDoor, StorageProvider } from '../providers/storage.provider.js';
import type { Storages } from '../storages/storage-access.js';

/** Calls to one storage at once for one question. */
const CONCURRENCY = 8;
const SILENT = 'the storage does not say what is there, try again';

/** What lies in the storage of an organisation, for services that have to know. Every key is the organisation's own. */
export class StoredObjects {
  /** One for each storage that is in use; it goes with its provider. */
  private readonly doors = new WeakMap<StorageProvider, ObjectDoor>();

  constructor(private readonly storages: Pick<Storages, 'of'>) {}

  /**
   * Those of the objects that are there.
   *
   * @throws InvalidError when one is not the organisation's
   * @throws UnavailableError when the storage does not say
   */
  async head(organisationId: string, objectKeys: readonly string[]): Promise<StoredObject[]> {
    for (const key of objectKeys) checkOwn(key, organisationId, 'objectKeys');
    const door = await this.doorOf(organisationId);
    const found = await each(objectKeys, async (objectKey): Promise<StoredObject | null> => {
      try {
        const { sizeBytes, etag } = await door.head(objectKey);
        return { objectKey, sizeBytes, etag };
      } catch (error) {
        if (isMissing(error)) return null;
        throw unavailable(SILENT, error);
      }
    });
    return found.filter((object) => object !== null);
  }

  /** What lies below a prefix, which ends in a slash. Throws as `head`. */
  async list(organisationId: string, prefix: string, limit: number): Promise<StoredObject[]> {
    if (!prefix.endsWith('/')) throw refusal('prefix', 'must end in a slash');
    // A prefix is right where a key below it would be.
    checkOwn(`${prefix}any`, organisationId, 'prefix');
    const door = await this.doorOf(organisationId);
    try {
      const objects = await door.listObjects(prefix, limit);
      return objects.map(({ key, ...object }) => ({ objectKey: key, ...object }));
    } catch (error) {
      throw unavailable(SILENT, error);
    }
  }

  /**
   * Returns the keys that are gone; the storage did not take the others.
   *
   * @throws InvalidError when one is not the organisation's; then none was deleted
   */
  async delete(organisationId: string, objectKeys: readonly string[]): Promise<string[]> {
    for (const key of objectKeys) checkOwn(key, organisationId, 'objectKeys');
    const door = await this.doorOf(organisationId);
    const gone = await each(objectKeys, async (objectKey) => {
      try {
        await door.delete(objectKey);
        return objectKey;
      } catch (error) {
        return isMissing(error) ? objectKey : null;
      }
    });
    return gone.filter((objectKey) => objectKey !== null);
  }

  private async doorOf(organisationId: string): Promise<ObjectDoor> {
    const { provider } = await this.storages.of(organisationId);
    let door = this.doors.get(provider);
    if (door === undefined) this.doors.set(provider, (door = provider.asService()));
    return door;
  }
}

/** Routes are mission-service's own, and lie in the storage of the deployment. */
function checkOwn(objectKey: string, organisationId: string, field: string): void {
  if (ownerOfObject(objectKey, organisationId, field) !== 'own') throw refusal(field, 'lies not below org/');
}

const refusal = (field: string, message: string): InvalidError =>
  new InvalidError('object_not_of_organisation', 'the object is not to be had', { fields: [{ field, message }] });

/** Results in the order of the keys, a few at a time. */
async function each<Result>(keys: readonly string[], work: (key: string) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < keys.length; start += CONCURRENCY) {
    results.push(...(await Promise.all(keys.slice(start, start + CONCURRENCY).map(work))));
  }
  return results;
}
