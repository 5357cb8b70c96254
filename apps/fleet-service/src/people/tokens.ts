import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { isUuid } from '@aerie/kernel';

/** What tokens are for. The prefix lets leak scanners find them, and no token passes for one of another kind. */
export type TokenKind = 'aeriesetup' | 'aerieinvite' | 'aeries';

export interface MadeToken {
  readonly id: string;
  /** `<kind>_<id>_<secret>`: the id finds the row. Shown once. */
  readonly token: string;
  /** Of the whole token: all that is kept. */
  readonly hash: Buffer;
}

export function makeToken(kind: TokenKind): MadeToken {
  const id = randomUUID();
  const token = `${kind}_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, token, hash: hashOf(token) };
}

/** The id in a token of this kind; null: it is none. */
export function idOfToken(kind: TokenKind, token: string): string | null {
  const [prefix, id] = token.split('_');
  return prefix === kind && id !== undefined && isUuid(id) ? id : null;
}

export const isHashOf = (token: string, stored: Buffer): boolean => timingSafeEqual(stored, hashOf(token));

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
