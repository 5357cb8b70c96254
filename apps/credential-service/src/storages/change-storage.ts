import { type Principal, callerName } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges } from '@aerie/http-api';
import { InvalidError } from '@aerie/kernel';
import type { Tx } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import type { ChosenStorage, Storage } from './storage.js';
import type { PresentStorage } from './storage.store.js';
import type { NewStorage } from './storage.input.js';
import type { Storages } from './storage-access.js';

/** An organisation chooses where what its docks upload is kept. What lies in the storage before stays there. */
export class ChangeStorage {
  constructor(private readonly storages: Storages) {}

  /** @throws OutdatedError, and InvalidError where a secret is needed */
  replace(caller: Principal, storage: NewStorage, version: ExpectedVersion): Promise<ChosenStorage> {
    return this.storages.store.change(
      caller.organisationId,
      callerName(caller),
      (present) => {
        checkVersion(version, present.version);
        return withSecret(storage, present);
      },
      recordOf(caller),
    );
  }

  /** Back to the storage of the deployment. Idempotent. */
  remove(caller: Principal, version: ExpectedVersion): Promise<ChosenStorage> {
    return this.storages.store.change(
      caller.organisationId,
      callerName(caller),
      (present) => {
        checkVersion(version, present.version);
        return Promise.resolve(null);
      },
      recordOf(caller),
    );
  }
}

const recordOf =
  (caller: Principal) =>
  (tx: Tx): Promise<void> =>
    recordChanges(tx, SCHEMA, [{ caller }]);

/** What a stored secret was given for. It signs for nobody else, and goes to no other place. */
const OF_THE_SECRET = [
  ...(['provider', 'accessKeyId', 'roleArn', 'dockEndpoint', 'serviceEndpoint', 'stsEndpoint', 'iamEndpoint'] as const),
] as const;

/** That of the deployment is for the deployment alone. */
async function withSecret(storage: NewStorage, { address, openSecret }: PresentStorage): Promise<Storage> {
  if (storage.secretAccessKey !== null) return { ...storage, secretAccessKey: storage.secretAccessKey };
  if (address !== null && OF_THE_SECRET.every((name) => address[name] === storage[name])) {
    return { ...storage, secretAccessKey: await openSecret() };
  }
  const message = 'is needed with another provider, endpoint, role or accessKeyId than the stored ones';
  throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'secretAccessKey', message }] });
}
