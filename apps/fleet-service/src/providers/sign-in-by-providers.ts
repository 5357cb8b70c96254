import { UnavailableError } from '@aerie/kernel';
import type { ProviderSignIn } from './provider-sign-in.js';
import type { ProviderClients } from './provider-clients.js';
import type { ProviderStore } from './provider.store.js';

export interface ProvidersOn {
  readonly store: ProviderStore;
  readonly clients: ProviderClients;
  readonly signIn: ProviderSignIn;
  /** Of all redirect URIs the part before the organisation. */
  readonly returnUrl: string;
}

/** Sign-in by identity providers, if the operator has configured it. */
export class SignInByProviders {
  constructor(private readonly on: ProvidersOn | null) {}

  /** Throws UnavailableError if it is not configured. */
  get parts(): ProvidersOn {
    if (this.on !== null) return this.on;
    const message =
      'sign-in by identity providers is off: the operator must set FLEET_KEY_FILE and FLEET_SIGN_IN_RETURN_URL of ' +
      'fleet-service; sign in with your password';
    throw new UnavailableError('providers_off', message);
  }
}
