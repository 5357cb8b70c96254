import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidError, Secret, UnavailableError } from '@aerie/kernel';
import { KeyRing, type Sealed } from './key-ring.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LINE = /^([A-Za-z0-9_-]{1,32}) ([A-Za-z0-9+/]{43}=)$/;

/**
 * Keys in a file: one a line, `<name> <32 bytes in base64>`. The first seals; all of them open. To rotate, a new line
 * comes first, and the old one goes once nothing is sealed with it any more.
 */
export class FileKeyRing extends KeyRing {
  private constructor(
    private readonly sealingKeyId: string,
    private readonly keys: ReadonlyMap<string, Buffer>,
  ) {
    super();
  }

  /**
   * @param setting that has the path
   * @throws InvalidError that names the line, never what stands in it
   */
  static read(setting: string, path: string): FileKeyRing {
    const refusal = refusalOf(setting);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw refusal('the file cannot be read', error);
    }
    const keys = new Map<string, Buffer>();
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const [, keyId, base64] = LINE.exec(line.trimEnd()) ?? [];
      if (keyId === undefined || base64 === undefined) {
        throw refusal(`line ${index + 1} is not \`<name> <32 bytes in base64>\``);
      }
      if (keys.has(keyId)) throw refusal(`line ${index + 1} has the name of another key`);
      keys.set(keyId, Buffer.from(base64, 'base64').subarray(0, KEY_BYTES));
    }
    const [sealing] = keys.keys();
    if (sealing === undefined) throw refusal('the file holds no key');
    return new FileKeyRing(sealing, keys);
  }

  override async seal(text: Secret, context: string): Promise<Sealed> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keyOf(this.sealingKeyId), nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(text.reveal(), 'utf8'), cipher.final()]);
    return { keyId: this.sealingKeyId, bytes: Buffer.concat([nonce, sealed, cipher.getAuthTag()]) };
  }

  override async open({ keyId, bytes }: Sealed, context: string): Promise<Secret> {
    const key = this.keyOf(keyId);
    try {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const sealed = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
      return new Secret(Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8'));
    } catch (error) {
      throw new UnavailableError('secret_unreadable', 'a stored secret does not open: it is damaged, or not of here', {
        cause: error,
      });
    }
  }

  private keyOf(keyId: string): Buffer {
    const key = this.keys.get(keyId);
    if (key !== undefined) return key;
    throw new UnavailableError(
      'secret_unreadable',
      `the key ${keyId}, which sealed a stored secret, is not in the file`,
    );
  }
}

const refusalOf =
  (setting: string) =>
  (message: string, cause?: unknown): InvalidError =>
    new InvalidError('invalid_key_file', `failed to read the key file: ${message}`, {
      fields: [{ field: setting, message }],
      ...(cause === undefined ? {} : { cause }),
    });
