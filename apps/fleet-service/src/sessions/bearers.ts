import type { Principal } from '@aerie/bus-contract';
import { ApiKeys } from '@aerie/http-api';
import { ApiKeyStore, type Holder } from '../api-keys/api-key.store.js';
import { SessionStore } from './session.store.js';

/** Who holds what a caller sends as its bearer: an API key, or the token of a session. Needs no question over the bus. */
export class Bearers extends ApiKeys {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly sessions: SessionStore,
  ) {
    super();
  }

  async find(bearer: string, address: string): Promise<Holder | null> {
    return bearer.startsWith('aeries_') ? this.sessions.verify(bearer) : this.keys.verify(bearer, address);
  }

  override async verify(bearer: string, address: string): Promise<Principal | null> {
    return (await this.find(bearer, address))?.principal ?? null;
  }
}
