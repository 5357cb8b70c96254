import { UnavailableError } from '@aerie/kernel';
import type { Passkeys } from './passkeys.js';

/** Sign-in by passkeys, if the operator has configured it. */
export class SignInByPasskeys {
  constructor(private readonly on: Passkeys | null) {}

  /** Throws UnavailableError if it is not configured. */
  get passkeys(): Passkeys {
    if (this.on !== null) return this.on;
    const message =
      'passkeys are off: the operator must set FLEET_PASSKEY_ORIGINS of fleet-service; sign in with your password';
    throw new UnavailableError('passkeys_off', message);
  }
}
