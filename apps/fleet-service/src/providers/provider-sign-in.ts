import type { AuditTrail } from '@aerie/http-api';
import { UnauthenticatedError, UnavailableError, isUuid } from '@aerie/kernel';
import type { ApiDatabase } from '@aerie/persistence';
import { personEntry } from '../audit/person-entry.js';
import type { TokenGuesses } from '../people/token-guesses.js';
import type { MadeSession, SessionStore } from '../sessions/session.store.js';
import { type PendingSignIn, type PendingSignIns, newPendingSignIn, isSame } from './pending-sign-in.js';
import type { Identities } from './identities.js';
import { type Provider, type ProviderClients, signInRefused } from './provider-clients.js';
import type { CallbackQuery } from './provider.schema.js';
import type { ProviderRow, ProviderStore } from './provider.store.js';

export interface SignInRedirect {
  /** Authorization URL of the provider. */
  readonly location: string;
  /** Value of the cookie. */
  readonly sealed: string;
}

/** What arrives at a redirect URI. */
export interface Callback {
  /** In whose redirect URI. */
  readonly organisationId: string;
  readonly query: CallbackQuery;
}

export interface ProviderSignInParts {
  readonly database: ApiDatabase;
  readonly providers: ProviderStore;
  readonly clients: ProviderClients;
  readonly pending: PendingSignIns;
  readonly identities: Identities;
  readonly sessions: SessionStore;
  readonly guesses: TokenGuesses;
  readonly audit: AuditTrail;
}

const OPERATION = 'finishProviderSignIn';

/** Sign-in by an identity provider. */
export class ProviderSignIn {
  constructor(private readonly parts: ProviderSignInParts) {}

  /** Null: unknown provider. Throws UnavailableError if the provider does not answer. */
  async begin(providerId: string, address: string): Promise<SignInRedirect | null> {
    const { providers, clients, pending: sealing, guesses } = this.parts;
    const row = await guesses.guess(address, async () => (isUuid(providerId) ? providers.find(providerId) : null));
    if (row === null) return null;
    const pending = newPendingSignIn(row.id);
    const location = await clients.authorizationUrl(this.providerOf(row), pending).catch(throwWithAdvice);
    return { location, sealed: await sealing.seal(pending) };
  }

  /** Throws UnauthenticatedError, TooManyError or UnavailableError. Refusals are audited once the organisation is known. */
  async finish(sealed: string | null, callback: Callback, address: string): Promise<MadeSession> {
    let refusal: unknown;
    const made = await this.parts.guesses.guess(address, async () =>
      this.finishOnce(sealed, callback, address).catch((error: unknown) => {
        if (!(error instanceof UnauthenticatedError)) throw error;
        refusal = error;
        return null;
      }),
    );
    if (made === null) throw refusal;
    return made;
  }

  private async finishOnce(
    sealed: string | null,
    { organisationId, query }: Callback,
    address: string,
  ): Promise<MadeSession> {
    const { providers, pending: sealing, audit } = this.parts;
    const pending = sealed === null ? null : await sealing.open(sealed);
    if (pending === null) throw signInRefused('this browser began no sign-in in the last 10 minutes');
    const row = await providers.find(pending.providerId);
    if (row === null) throw signInRefused('the identity provider was removed');
    // Before the code is sent anywhere: it may be of another organisation's provider.
    if (row.organisation_id !== organisationId.toLowerCase()) {
      throw signInRefused('this browser began a sign-in at another organisation');
    }
    const note = (who: { personId: string } | { providerId: string }, status: number) =>
      audit.note(
        personEntry({ organisationId: row.organisation_id, ...who }, OPERATION, address, { provider: row.id }),
        status,
      );
    let personId: string | null = null;
    try {
      personId = await this.findOrLinkMember(row, pending, query);
      const made = await this.parts.sessions.begin(row.organisation_id, { id: personId, providerId: row.id }, address);
      if (made === null) throw signInRefused('the member or the identity provider was removed during the sign-in');
      await note({ personId }, 200);
      return made;
    } catch (error) {
      if (error instanceof UnauthenticatedError)
        await note(personId === null ? { providerId: row.id } : { personId }, 401);
      throw error;
    }
  }

  private async findOrLinkMember(row: ProviderRow, pending: PendingSignIn, query: CallbackQuery): Promise<string> {
    const { clients, identities } = this.parts;
    if (!isSame(query.state ?? '', pending.state))
      throw signInRefused('this browser began another sign-in after this one');
    if (!(await this.markUsed(row, pending))) throw signInRefused('this sign-in was used before');
    if (query.error !== undefined) throw signInRefused('the identity provider refused the sign-in');
    const { subject, fetchProfile } = await clients
      .verifyCallback(this.providerOf(row), pending, query)
      .catch(throwWithAdvice);
    return (
      (await identities.find(row, subject)) ??
      identities.link(row, subject, await fetchProfile().catch(throwWithAdvice))
    );
  }

  /** Marks the sign-in as used. False: it was used before. */
  private async markUsed({ organisation_id: organisationId }: ProviderRow, { id }: PendingSignIn): Promise<boolean> {
    const used = await this.parts.database
      .of(organisationId)
      .run('INSERT INTO fleet.used_sign_in (id, organisation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        ...[id, organisationId],
      ]);
    return used > 0;
  }

  private providerOf(row: ProviderRow): Provider {
    const { id, organisation_id: organisationId, revision, issuer, client_id: clientId } = row;
    return { id, organisationId, revision, issuer, clientId, secret: () => this.parts.providers.secretOf(row) };
  }
}

/** Tells the person at the browser what to do while the provider is down. */
function throwWithAdvice(error: unknown): never {
  if (!(error instanceof UnavailableError)) throw error;
  const { code, message, cause } = error;
  throw new UnavailableError(code, `${message}; begin again later, or sign in with your password`, { cause });
}
