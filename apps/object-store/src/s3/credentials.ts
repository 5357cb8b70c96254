import type { Secret } from '@aerie/kernel';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** Finds the secret of an access key. Null: nobody has this key. */
export abstract class CredentialLookup {
  abstract find(accessKeyId: string): Promise<Credentials | null>;
}

/** The one pair of the configuration. */
export class ConfiguredCredentials extends CredentialLookup {
  constructor(private readonly credentials: Credentials) {
    super();
  }

  override find(accessKeyId: string): Promise<Credentials | null> {
    return Promise.resolve(accessKeyId === this.credentials.accessKeyId ? this.credentials : null);
  }
}
