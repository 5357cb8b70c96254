import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Secret } from '@aerie/kernel';
import { z } from 'zod';
import type { Session } from './caller.js';

/** Of access keys that are good only together with a token. */
export const TEMPORARY_KEY_PREFIX = 'ASIA';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A session policy of 2,048 characters, at worst three bytes each, and the rest. */
const MAX_TOKEN_CHARACTERS = 12_000;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const statement = z.strictObject({
  accessKeyId: z.string(),
  roleArn: z.string(),
  sessionName: z.string(),
  policy: z.string().nullable(),
  issuedAtMs: z.number().int(),
  expiresAtMs: z.number().int(),
});

/**
 * Session tokens that say everything of their session, sealed, and secrets that are computed from their key id: all of
 * it comes out of the configured secret, so sessions outlive a restart without a table, and a new secret ends them all.
 */
export class SessionTokens {
  private readonly sealing: Buffer;
  private readonly deriving: Buffer;

  constructor(root: Secret) {
    const derive = (purpose: string): Buffer =>
      Buffer.from(hkdfSync('sha256', root.reveal(), 'aerie object-store', purpose, 32));
    this.sealing = derive('session token v1');
    this.deriving = derive('session secret v1');
  }

  newAccessKeyId(): string {
    return TEMPORARY_KEY_PREFIX + [...randomBytes(16)].map((byte) => BASE32[byte % 32]).join('');
  }

  secretOf(accessKeyId: string): Secret {
    return new Secret(createHmac('sha256', this.deriving).update(accessKeyId).digest('base64'));
  }

  seal(session: Session): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.sealing, nonce);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64');
  }

  /** Null: the token is not ours, or damaged. */
  open(token: string): Session | null {
    if (token.length > MAX_TOKEN_CHARACTERS) return null;
    const bytes = Buffer.from(token, 'base64');
    if (bytes.length <= NONCE_BYTES + TAG_BYTES || bytes.toString('base64') !== token) return null;
    const decipher = createDecipheriv(CIPHER, this.sealing, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return statement.parse(JSON.parse(text.toString('utf8')));
    } catch {
      return null;
    }
  }
}
