import type { Clock, Secret } from '@aerie/kernel';
import { S3Error } from '../s3/s3-error.js';
import type { Caller } from './caller.js';
import { type SessionTokens, TEMPORARY_KEY_PREFIX } from './session-tokens.js';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

export interface Identity {
  readonly caller: Caller;
  readonly credentials: Credentials;
}

/** Finds whose an access key is. A session is known by its token alone: there is no table of sessions. */
export class Identities {
  constructor(
    private readonly root: Credentials,
    private readonly tokens: SessionTokens,
    private readonly clock: Clock,
  ) {}

  identify(accessKeyId: string, token: string | undefined): Identity {
    if (accessKeyId === this.root.accessKeyId) {
      if (token !== undefined) throw new S3Error('InvalidToken', 'This access key has no session.');
      return { caller: { kind: 'root' }, credentials: this.root };
    }
    if (token === undefined || !accessKeyId.startsWith(TEMPORARY_KEY_PREFIX)) {
      throw new S3Error('InvalidAccessKeyId', 'The access key does not exist here.');
    }
    const session = this.tokens.open(token);
    if (session?.accessKeyId !== accessKeyId) throw new S3Error('InvalidToken', 'The session token is not valid.');
    if (this.clock.nowMs() >= session.expiresAtMs) throw new S3Error('ExpiredToken', 'The session token has expired.');
    const secretAccessKey = this.tokens.secretOf(accessKeyId);
    return { caller: { kind: 'session', session }, credentials: { accessKeyId, secretAccessKey } };
  }
}
