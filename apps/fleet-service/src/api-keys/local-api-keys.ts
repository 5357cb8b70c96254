import type { Principal } from '@aerie/bus-contract';
import { ApiKeys } from '@aerie/http-api';
import { ApiKeyStore } from './api-key.store.js';

/** The guard of this service's own routes needs no question over the bus. */
export class LocalApiKeys extends ApiKeys {
  constructor(private readonly store: ApiKeyStore) {
    super();
  }

  override async verify(key: string, address: string): Promise<Principal | null> {
    return (await this.store.verify(key, address))?.principal ?? null;
  }
}
