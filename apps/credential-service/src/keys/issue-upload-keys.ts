import { UnavailableError } from '@aerie/kernel';
import type { Ledger } from '../ledger/ledger.js';
import type { IssuedKeys } from '../providers/storage.provider.js';
import type { Storages } from '../storages/storage-access.js';
import type { Storage } from '../storages/storage.js';
import { lifetimeFor } from './lifetime.js';
import { type PrefixUse, prefixOf } from './object-prefix.js';
import { uploadActionsOf } from './session-policy.js';

export interface UploadKeysRequest {
  readonly organisationId: string;
  readonly dockSn: string;
  readonly use: PrefixUse;
  /** How much is expected to be uploaded; undefined: as long as the storage allows. */
  readonly sizeBytes?: number;
  readonly askedBy: string;
  readonly reason: string;
}

export interface UploadKeys {
  readonly keys: IssuedKeys;
  /** Ends in a slash. */
  readonly prefix: string;
  readonly storage: Storage;
}

/** Hands out keys with which a dock uploads below one prefix. */
export class IssueUploadKeys {
  constructor(
    private readonly storages: Storages,
    private readonly ledger: Ledger,
  ) {}

  /** @throws InvalidError for a prefix that cannot be, UnavailableError when there are no keys now */
  async execute(request: UploadKeysRequest): Promise<UploadKeys> {
    const { organisationId, dockSn, use, sizeBytes, askedBy, reason } = request;
    const prefix = prefixOf(organisationId, dockSn, use);
    const { storage, version, provider, keys: cached } = await this.storages.of(organisationId);
    const lifetimeSeconds =
      sizeBytes === undefined ? storage.lifetimeSeconds : lifetimeFor(sizeBytes, storage.lifetimeSeconds);
    const name = `${prefix} ${lifetimeSeconds}`;
    const issue = (): Promise<IssuedKeys> =>
      provider.issueKeys({ prefix, lifetimeSeconds, sessionName: `dock-${dockSn}` });
    // The second time with fresh ones, where the first were remembered and have been called back since.
    for (let attempt = 1; attempt <= 2; attempt++) {
      const keys = await cached.keysFor(name, issue);
      const entry = {
        ...{ organisationId, kind: 'keys' as const, dockSn, objectPrefix: prefix, askedBy, reason },
        ...{ provider: storage.provider, storageVersion: version, actions: uploadActionsOf(storage.provider) },
        ...{ accessKeyId: keys.accessKeyId, expiresAtMs: keys.expiresAtMs },
      };
      if (await this.ledger.record(entry, keys.issuedAtMs)) return { keys, prefix, storage };
      cached.forget((kept) => kept === name);
    }
    throw new UnavailableError('keys_just_revoked', 'keys are being called back at this moment, try again');
  }
}
