import type { Principal } from '@aerie/bus-contract';
import { checkVersion } from '@aerie/http-api';
import { InvalidError } from '@aerie/kernel';
import type { ChosenStorage, Storage } from './storage.js';
import type { NewStorage } from './storage.input.js';
import type { Storages } from './storage-access.js';

/** An organisation chooses where what its docks upload is kept. What lies in the storage before stays there. */
export class ChangeStorage {
  constructor(private readonly storages: Storages) {}

  /** @throws OutdatedError, and InvalidError where a secret is needed */
  replace(caller: Principal, storage: NewStorage, version: number | null): Promise<ChosenStorage> {
    return this.storages.store.change(caller.organisationId, `key:${caller.keyId}`, (present) => {
      checkVersion(version, present.version);
      return withSecret(storage, present);
    });
  }

  /** Back to the storage of the deployment. Idempotent. */
  remove(caller: Principal, version: number | null): Promise<ChosenStorage> {
    return this.storages.store.change(caller.organisationId, `key:${caller.keyId}`, (present) => {
      checkVersion(version, present.version);
      return null;
    });
  }
}

/** The stored secret belongs to the stored key, and that of the deployment to nobody else. */
function withSecret(storage: NewStorage, { storage: present, chosenBy }: ChosenStorage): Storage {
  if (storage.secretAccessKey !== null) return { ...storage, secretAccessKey: storage.secretAccessKey };
  if (chosenBy === 'organisation' && present.accessKeyId === storage.accessKeyId) {
    return { ...storage, secretAccessKey: present.secretAccessKey };
  }
  const message = 'is needed: no secret is stored for this accessKeyId';
  throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'secretAccessKey', message }] });
}
