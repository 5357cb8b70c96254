import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** As PostgreSQL makes them. [PostgreSQL, scram_iterations; RFC 5803] */
const ITERATIONS = 4_096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Outside of this SASLprep would change a character, or not; passwords that programs make stay within. [RFC 4013] */
const PLAIN = /^[\x20-\x7e]+$/;

/**
 * What PostgreSQL stores of a password. Sent in its place, the password itself is in no statement, and in no log of the
 * server.
 */
export function passwordVerifier(password: string, salt: Buffer = randomBytes(SALT_BYTES)): string {
  if (!PLAIN.test(password)) throw new RangeError('a password of a role may hold printable ASCII characters only');
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, 'sha256');
  const keyOf = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${keyOf('Server Key').toString('base64')}`;
}
