import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { UnavailableError } from '@aerie/kernel';

/** argon2id. [OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane] */
const ARGON2ID = 2;
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes at once: 38 MiB, and half of the threads that the process has for files and names too. */
const AT_ONCE = 2;
/** Requests that wait for a hash, a few seconds of work. Beyond them a caller is told to come again. */
const MOST_WAITING = 100;

export const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 256;
/** A shorter part before the @ is in too many good passwords. */
const SHORTEST_NAME = 4;

/** What is wrong with a new password, or null. A long one that is easy to type beats rules about characters. [NIST SP 800-63B] */
export function passwordProblem(password: string, email: string): string | null {
  const length = [...normalised(password)].length;
  if (length < SHORTEST_PASSWORD || length > LONGEST_PASSWORD) {
    return `must have ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`;
  }
  const folded = normalised(password).toLowerCase();
  const [name = ''] = email.toLowerCase().split('@');
  const holds = folded.includes(email.toLowerCase()) || (name.length >= SHORTEST_NAME && folded.includes(name));
  return holds ? 'must not hold the email address or the part of it before the @' : null;
}

/** Hashes passwords and checks them, a few at once, so that a flood of sign-ins takes neither the memory nor the threads. */
export class Passwords {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  /** Checked where there is no hash, so that an unknown email takes as long as a known one. */
  private readonly decoy = hash(randomBytes(32), PARAMETERS);

  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(normalised(password), PARAMETERS));
  }

  /** Whether it is the password of this hash. Null: there is no such person; takes as long, and is false. */
  verify(stored: string | null, password: string): Promise<boolean> {
    return this.inTurn(async () => {
      const right = await verify(stored ?? (await this.decoy), normalised(password));
      return right && stored !== null;
    });
  }

  private async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= MOST_WAITING) {
        throw new UnavailableError('sign_in_busy', 'too many passwords are being checked, try again');
      }
      // Whoever ends hands its turn on, so that `running` never passes the limit.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}

/** The same letters may be typed in several ways. [NIST SP 800-63B, 5.1.1.2] */
const normalised = (password: string): string => password.normalize('NFKC');
