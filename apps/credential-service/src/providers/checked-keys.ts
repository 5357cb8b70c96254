import { Secret } from '@aerie/kernel';
import { unavailable } from './provider-error.js';
import type { IssuedKeys } from './storage.provider.js';

interface AnsweredKeys {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly lifetimeSeconds: number;
}

const KEY_ID = /^[\x21-\x7e]{1,128}$/;
const SECRET = /^[\x21-\x7e]{1,1024}$/;
/** Ceph's tokens have some thousand characters. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
/** A clock that is further off than this has failed at the signature already. */
const SLACK_MS = 60 * 60_000;

/**
 * A storage is somebody else's program: what it calls keys goes to docks and into the ledger, so it has the shape of keys.
 *
 * @throws UnavailableError for anything else
 */
export function checkedKeys(answer: AnsweredKeys): IssuedKeys {
  const {
    accessKeyId = '',
    secretAccessKey = '',
    sessionToken = '',
    issuedAtMs,
    expiresAtMs,
    lifetimeSeconds,
  } = answer;
  const lifeMs = expiresAtMs - issuedAtMs;
  const lives = lifeMs > 0 && lifeMs <= lifetimeSeconds * 1_000 + SLACK_MS;
  if (!lives || !KEY_ID.test(accessKeyId) || !SECRET.test(secretAccessKey) || !TOKEN.test(sessionToken)) {
    throw unavailable('the storage answered without keys, or with some that cannot be', undefined);
  }
  return {
    ...{ accessKeyId, issuedAtMs, expiresAtMs },
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: new Secret(sessionToken),
  };
}
