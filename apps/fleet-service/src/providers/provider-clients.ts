import { type Secret, UnauthenticatedError, UnavailableError } from '@aerie/kernel';
import { type JSONWebKeySet, type JWTVerifyGetKey, createLocalJWKSet, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import * as openid from 'openid-client';
import { z } from 'zod';
import { email } from '../people/people.schema.js';
import type { PendingSignIn } from './pending-sign-in.js';
import type { GuardedFetch } from './guarded-fetch.js';
import { IdTokenError, readIdToken } from './id-token.js';
import type { CallbackQuery } from './provider.schema.js';

export interface Provider {
  readonly id: string;
  readonly organisationId: string;
  readonly revision: number;
  readonly issuer: string;
  readonly clientId: string;
  readonly secret: () => Promise<Secret>;
}

/** A person as the provider identifies them. */
export interface VerifiedSubject {
  /** `sub`: the issuer never gives it to another person. */
  readonly subject: string;
  /** Asks the userinfo endpoint if the ID token has no email or does not say whether it is verified. */
  readonly fetchProfile: () => Promise<Profile>;
}

export interface Profile {
  /** Null: the provider has not verified one. */
  readonly verifiedEmail: string | null;
  readonly name: string | null;
}

/** Metadata and keys of a provider. */
interface ProviderMetadata {
  readonly config: openid.Configuration;
  readonly keys: JSONWebKeySet;
  readonly atMs: number;
}

const FRESH_MS = 10 * 60_000;
/** How long the last good metadata and keys are used while the provider is down. Revoked keys stay valid that long. */
const KEPT_MS = 24 * 3_600_000;
/** Shortest time between two refreshes: for an unknown key, and after a failure. */
const REFRESH_PAUSE_MS = 10_000;
const MOST_KNOWN = 500;
const MOST_KEYS = 100;

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MOST_KEYS) });
const profileClaims = z.object({
  email: email.optional().catch(undefined),
  // Some providers send it as a string.
  email_verified: z
    .union([z.boolean(), z.literal('true').transform(() => true)])
    .optional()
    .catch(undefined),
  name: z.string().trim().min(1).max(100).optional().catch(undefined),
});

/**
 * Each organisation has one of its own: a provider registers the address of its organisation alone, so it sends no code to the
 * callback of a sign-in that another organisation's provider has led to it. [RFC 9700, 4.4]
 */
export const redirectUriOf = (returnUrl: string, { organisationId }: Pick<Provider, 'organisationId'>): string =>
  `${returnUrl}/${organisationId}`;

/** OpenID Connect with identity providers. */
export class ProviderClients {
  private readonly known = new LRUCache<string, ProviderMetadata>({ max: MOST_KNOWN });
  private readonly failed = new LRUCache<string, { readonly atMs: number; readonly error: Error }>({
    max: MOST_KNOWN,
  });
  private readonly asking = new Map<string, Promise<ProviderMetadata>>();

  constructor(
    private readonly guarded: GuardedFetch,
    /** Of all redirect URIs the part before the organisation. */
    private readonly returnUrl: string,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** Throws UnavailableError if the provider does not answer, or has no valid metadata and keys. */
  async checkReachable(provider: Provider): Promise<void> {
    await this.fetchMetadata(provider);
  }

  async authorizationUrl(provider: Provider, pending: PendingSignIn): Promise<string> {
    const { config } = await this.currentMetadata(provider);
    return openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUriOf(this.returnUrl, provider),
      scope: 'openid email profile',
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    }).href;
  }

  /** Exchanges the code and verifies the ID token. Throws UnauthenticatedError, or UnavailableError if the provider is down. */
  async verifyCallback(provider: Provider, pending: PendingSignIn, query: CallbackQuery): Promise<VerifiedSubject> {
    try {
      const { config } = await this.currentMetadata(provider);
      const tokens = await this.exchange(config, redirectUriOf(this.returnUrl, provider), pending, query);
      const claims = await readIdToken(tokens.id_token ?? '', this.keysOf(provider), {
        ...{ issuer: config.serverMetadata().issuer, clientId: provider.clientId, nonce: pending.nonce },
      });
      const isComplete = claims['email'] !== undefined && claims['email_verified'] !== undefined;
      const hasUserinfo = config.serverMetadata().userinfo_endpoint !== undefined;
      const fetchUserinfo = () => openid.fetchUserInfo(config, tokens.access_token, claims.sub).catch(throwAsAppError);
      return {
        subject: claims.sub,
        fetchProfile: async () => profileIn(isComplete || !hasUserinfo ? claims : await fetchUserinfo()),
      };
    } catch (error) {
      return throwAsAppError(error);
    }
  }

  private exchange(
    config: openid.Configuration,
    redirectUri: string,
    pending: PendingSignIn,
    { code, state, iss }: CallbackQuery,
  ) {
    const address = new URL(redirectUri);
    for (const [name, value] of Object.entries({ code, state, iss })) {
      if (value !== undefined) address.searchParams.set(name, value);
    }
    return openid.authorizationCodeGrant(config, address, {
      ...{ expectedState: pending.state, expectedNonce: pending.nonce, pkceCodeVerifier: pending.verifier },
      idTokenExpected: true,
    });
  }

  /** Refreshes the key set once if the key is unknown: the provider may have rotated its keys. */
  private keysOf(provider: Provider): JWTVerifyGetKey {
    return async (header, token) => {
      const { keys, atMs } = await this.currentMetadata(provider);
      try {
        return await createLocalJWKSet(keys)(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || this.monotonicMs() - atMs < REFRESH_PAUSE_MS) throw error;
        return createLocalJWKSet((await this.refresh(provider)).keys)(header, token);
      }
    };
  }

  private async currentMetadata(provider: Provider): Promise<ProviderMetadata> {
    const known = this.known.get(nameOf(provider));
    const ageMs = known === undefined ? Infinity : this.monotonicMs() - known.atMs;
    if (known !== undefined && ageMs < FRESH_MS) return known;
    try {
      return await this.refresh(provider);
    } catch (error) {
      if (known !== undefined && ageMs < KEPT_MS) return known;
      throw error;
    }
  }

  /** Concurrent callers share one refresh. After a failure there is none for a while. */
  private refresh(provider: Provider): Promise<ProviderMetadata> {
    const name = nameOf(provider);
    const failed = this.failed.get(name);
    if (failed !== undefined && this.monotonicMs() - failed.atMs < REFRESH_PAUSE_MS)
      return Promise.reject(failed.error);
    const asking =
      this.asking.get(name) ??
      this.fetchMetadata(provider)
        .then((known) => {
          this.known.set(name, known);
          return known;
        })
        .catch((error: Error) => {
          this.failed.set(name, { atMs: this.monotonicMs(), error });
          throw error;
        })
        .finally(() => this.asking.delete(name));
    this.asking.set(name, asking);
    return asking;
  }

  private async fetchMetadata(provider: Provider): Promise<ProviderMetadata> {
    const issuer = new URL(provider.issuer);
    const refuse = (what: string, cause?: unknown) =>
      new UnavailableError('provider_unavailable', `the identity provider at ${issuer.host} ${what}`, { cause });
    const refusal = this.guarded.refusalOf(issuer);
    if (refusal !== null) throw refuse(`has a URL that ${refusal}`);
    const secret = (await provider.secret()).reveal();
    try {
      const fetch: openid.CustomFetch = (url, options) => this.guarded.fetch(url, options);
      const options = { [openid.customFetch]: fetch, execute: insecureIf(issuer.protocol === 'http:') };
      const found = await openid.discovery(issuer, provider.clientId, secret, undefined, options);
      const metadata = found.serverMetadata();
      // openid-client skips this check for some issuers of Microsoft, which would accept every tenant.
      if (new URL(metadata.issuer).href !== issuer.href) throw refuse('names another issuer in its metadata');
      for (const endpoint of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri]) {
        if (endpoint === undefined) throw refuse('does not name all endpoints in its metadata');
        const wrong = this.guarded.refusalOf(new URL(endpoint));
        if (wrong !== null) throw refuse(`names an endpoint in its metadata that ${wrong}`);
      }
      const config = new openid.Configuration(metadata, provider.clientId, secret, authenticationOf(metadata, secret));
      config[openid.customFetch] = fetch;
      for (const change of options.execute) change(config);
      const answer = await this.guarded.fetch(metadata.jwks_uri ?? '');
      const keys = keySet.parse(await answer.json()) as JSONWebKeySet;
      return { config, keys, atMs: this.monotonicMs() };
    } catch (error) {
      throw unavailableIn(error) ?? refuse('has no valid OpenID Connect metadata', error);
    }
  }
}

const nameOf = ({ id, revision }: Provider): string => `${id} ${revision}`;

/** openid-client requires TLS unless told otherwise. */
const insecureIf = (isPlain: boolean): ((config: openid.Configuration) => void)[] =>
  isPlain ? [openid.allowInsecureRequests] : [];

/** `client_secret_basic` is the default. [OpenID Connect Discovery, 3] */
function authenticationOf(metadata: openid.ServerMetadata, secret: string): openid.ClientAuth {
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.includes('client_secret_basic') ? openid.ClientSecretBasic(secret) : openid.ClientSecretPost(secret);
}

function profileIn(claims: unknown): Profile {
  const { email: address, email_verified: isVerified, name } = profileClaims.parse(claims);
  return { verifiedEmail: isVerified === true ? (address ?? null) : null, name: name ?? null };
}

/** openid-client wraps errors of our fetch. */
function unavailableIn(error: unknown): UnavailableError | null {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    if (current instanceof UnavailableError) return current;
    current = current.cause;
  }
  return null;
}

/** Errors of our client registration. The person who signs in cannot fix them. */
const OURS: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client']);

function throwAsAppError(error: unknown): never {
  const unavailable = unavailableIn(error);
  if (unavailable !== null) throw unavailable;
  const isOurs =
    (error instanceof openid.ResponseBodyError && OURS.has(error.error)) ||
    error instanceof openid.WWWAuthenticateChallengeError;
  if (isOurs) {
    const message = 'the identity provider rejects our client id or secret; an org_admin must update them';
    throw new UnavailableError('client_rejected', message, { cause: error });
  }
  throw signInRefused(`the identity provider's answer is not valid: ${reasonOf(error)}`, error);
}

/** Messages of the libraries may contain values that an attacker sent, so they are not shown. */
function reasonOf(error: unknown): string {
  if (error instanceof IdTokenError) return error.message;
  if (error instanceof errors.JWTExpired) return 'the ID token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `the ID token has no valid ${error.claim}`;
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return 'the ID token has no kid and the provider has several keys';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the ID token was signed with an unknown key';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the ID token has a signature algorithm that is not allowed';
  if (error instanceof openid.ResponseBodyError) return 'it rejects the authorization code';
  return 'the ID token cannot be verified';
}

export const signInRefused = (message: string, cause?: unknown): UnauthenticatedError =>
  new UnauthenticatedError('sign_in_refused', `${message}; begin again`, cause === undefined ? {} : { cause });
