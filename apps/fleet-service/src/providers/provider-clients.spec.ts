import { Secret } from '@aerie/kernel';
import { Outbound } from '@aerie/outbound';
import { Issuer, type SigningKey, aSigningKey, goodClaims, signed } from '../fixtures/issuer.js';
import { newPendingSignIn } from './pending-sign-in.js';
import { GuardedFetch } from './guarded-fetch.js';
import { ProviderClients } from './provider-clients.js';

const RETURN_URL = 'http://localhost:4000/callback';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
let issuer: Issuer;
let key: SigningKey;
let nowMs = 0;
let clients: ProviderClients;

beforeEach(async () => {
  key = await aSigningKey();
  issuer = await Issuer.start([key]);
  clients = new ProviderClients(new GuardedFetch(new Outbound(true).agents(), true), RETURN_URL, () => nowMs);
});
afterEach(() => issuer.stop());

const provider = () => ({
  ...{ id: 'irrelevant', organisationId: 'harbour', revision: 1, issuer: issuer.url, clientId: 'aerie' },
  secret: async () => new Secret('a secret'),
});
const prove = async (by: SigningKey = key) => {
  const pending = newPendingSignIn('irrelevant');
  const code = issuer.codeFor(await signed(goodClaims(issuer.url, 'aerie', pending.nonce), by));
  return clients.verifyCallback(provider(), pending, { code, state: pending.state });
};
const timesAsked = (path: string): number => issuer.requests.filter((each) => each === path).length;

it('fetches keys once in ten minutes, for any number of sign-ins', async () => {
  await Promise.all([prove(), prove(), prove()]);
  nowMs += 9 * MINUTE_MS;
  await prove();
  expect(timesAsked('/keys')).toBe(1);
  nowMs += 2 * MINUTE_MS;
  await prove();
  expect(timesAsked('/keys')).toBe(2);
});

it('keeps the last good key set for a day while the provider is down', async () => {
  await prove();
  [issuer.failsWith, issuer.failsAt] = [503, /keys|well-known/];
  nowMs += 23 * HOUR_MS;
  expect(await prove()).toMatchObject({ subject: 'subject-1' });
  nowMs += 2 * HOUR_MS;
  await expect(prove()).rejects.toMatchObject({ code: 'provider_unavailable' });
});

it('asks a provider that is down once in ten seconds', async () => {
  issuer.failsWith = 503;
  for (let tries = 0; tries < 5; tries++) await expect(prove()).rejects.toMatchObject({ code: 'provider_unavailable' });
  expect(issuer.requests.length).toBe(1);
  issuer.failsWith = null;
  nowMs += 11_000;
  expect(await prove()).toMatchObject({ subject: 'subject-1' });
});

it('refreshes the key set for an unknown key, once in ten seconds', async () => {
  await prove();
  const next = await aSigningKey();
  issuer.keys = [key.jwk, next.jwk];
  await expect(prove(next)).rejects.toMatchObject({ code: 'sign_in_refused' });
  expect(timesAsked('/keys')).toBe(1);
  nowMs += 11_000;
  expect(await prove(next)).toMatchObject({ subject: 'subject-1' });
  for (let tries = 0; tries < 5; tries++) await prove(await aSigningKey()).catch(() => undefined);
  expect(timesAsked('/keys')).toBe(2);
});

it('refuses an issuer whose metadata names every tenant of Microsoft as issuer', async () => {
  const common = 'https://login.microsoftonline.com/common/v2.0';
  class OfMicrosoft extends GuardedFetch {
    override async fetch(): Promise<Response> {
      const endpoint = `${common}/any`;
      const endpoints = { authorization_endpoint: endpoint, token_endpoint: endpoint, jwks_uri: endpoint };
      const metadata = { issuer: common.replace('common', '{tenantid}'), ...endpoints, keys: [key.jwk] };
      return Response.json(metadata);
    }
  }
  const guarded = new OfMicrosoft(new Outbound(false).agents(), false);
  const checked = new ProviderClients(guarded, RETURN_URL).checkReachable({ ...provider(), issuer: common });
  await expect(checked).rejects.toThrow('names another issuer');
});
