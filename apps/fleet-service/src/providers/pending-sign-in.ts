import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { Secret } from '@aerie/kernel';
import type { KeyRing } from '@aerie/sealing';
import { z } from 'zod';

const CONTEXT = 'pending sign-in';
export const LONGEST_MS = 10 * 60_000;
const COOKIE = /^([\w-]{1,32})\.([\w-]{1,2000})$/;

const pendingSignIn = z.strictObject({
  id: z.uuid(),
  providerId: z.uuid(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  expiresAtMs: z.number(),
});

/** A sign-in between the redirect to the provider and the callback. */
export type PendingSignIn = z.output<typeof pendingSignIn>;

const aSecret = (): string => randomBytes(32).toString('base64url');

export const newPendingSignIn = (providerId: string): PendingSignIn => ({
  ...{ id: randomUUID(), providerId, state: aSecret(), nonce: aSecret(), verifier: aSecret() },
  expiresAtMs: Date.now() + LONGEST_MS,
});

/**
 * Seals pending sign-ins into a cookie. The server stores nothing for them, so beginning many sign-ins fills no table. The
 * cookie also binds the callback to the browser that began: otherwise an attacker could sign a victim in as the attacker.
 */
export class PendingSignIns {
  constructor(private readonly keyRing: KeyRing) {}

  async seal(pending: PendingSignIn): Promise<string> {
    const { keyId, bytes } = await this.keyRing.seal(new Secret(JSON.stringify(pending)), CONTEXT);
    return `${keyId}.${bytes.toString('base64url')}`;
  }

  /** Null: not sealed with our keys, or expired. */
  async open(text: string): Promise<PendingSignIn | null> {
    const [, keyId, base64] = COOKIE.exec(text) ?? [];
    if (keyId === undefined || base64 === undefined) return null;
    const opened = await this.keyRing
      .open({ keyId, bytes: Buffer.from(base64, 'base64url') }, CONTEXT)
      .catch(() => null);
    if (opened === null) return null;
    const pending = pendingSignIn.parse(JSON.parse(opened.reveal()));
    return pending.expiresAtMs > Date.now() ? pending : null;
  }
}

export function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
