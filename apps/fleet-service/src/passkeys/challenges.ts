import { randomBytes, randomUUID } from 'node:crypto';
import { FLEET_KEYS } from '@aerie/bus-contract';
import { UnavailableError } from '@aerie/kernel';
import type { Redis } from 'ioredis';

/** As long as people take to find their authenticator. */
export const CHALLENGE_MS = 5 * 60_000;
/** For whom nobody knows yet. */
const ANYBODY = '';

export interface Challenge {
  readonly id: string;
  /** Random bytes, base64url. */
  readonly text: string;
}

const PUT = `redis.call('HSET', KEYS[1], 'text', ARGV[1], 'person', ARGV[2]) redis.call('PEXPIRE', KEYS[1], ARGV[3]) return 1`;
const TAKE = `local kept = redis.call('HMGET', KEYS[1], 'text', 'person') redis.call('DEL', KEYS[1]) return kept`;

/** What authenticators are to sign: each is answered once, in whichever replica. Redis may lose them; then one begins again. */
export class Challenges {
  constructor(private readonly redis: Redis) {}

  /** @param personId who may answer it; null: whoever signs in */
  async make(personId: string | null): Promise<Challenge> {
    const challenge = { id: randomUUID(), text: randomBytes(32).toString('base64url') };
    await this.redis.eval(PUT, 1, keyOf(challenge.id), challenge.text, personId ?? ANYBODY, CHALLENGE_MS).catch(away);
    return challenge;
  }

  /** The text of a challenge that nobody has answered yet. Null: there is none for this person. */
  async take(id: string, personId: string | null): Promise<string | null> {
    const kept = (await this.redis.eval(TAKE, 1, keyOf(id)).catch(away)) as [string | null, string | null];
    const [text, person] = kept;
    return person === (personId ?? ANYBODY) ? text : null;
  }
}

const keyOf = (id: string): string => `${FLEET_KEYS}passkey:${id}`;

function away(cause: unknown): never {
  const message = 'passkeys cannot be used while Redis does not answer; try again, or sign in with your password';
  throw new UnavailableError('passkeys_away', message, { cause });
}
