import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jest } from '@jest/globals';
import { AuditTrail, configureHttp } from '@aerie/http-api';
import { Caller } from '@aerie/http-api/testing';
import { createLogger } from '@aerie/observability';
import { ApiDatabase } from '@aerie/persistence';
import { bothOf } from '@aerie/persistence/testing';
import { startInProcess } from '@aerie/service-host/testing';
import { eventually, freePort, startAll, startPrivateNats, testEnvironment } from '@aerie/testing';
import type { JWTPayload } from 'jose';
import type { DataSource } from 'typeorm';
import { ApiKeyStore } from '../api-keys/api-key.store.js';
import { AppModule } from '../app.module.js';
import { AuditIntake } from '@aerie/http-api';
import { loadConfig } from '../config.js';
import { Browser, locationOf } from '../fixtures/browser.js';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { BAD_TOKENS, Issuer, type SigningKey, aSigningKey, goodClaims, signed } from '../fixtures/issuer.js';
import { ROUTES } from '../openapi/fleet-api.js';
import { createSetupLink } from '../people/join.js';

const logger = createLogger('providers-spec', 'silent');
const RETURN_URL = 'http://localhost:4000/api/v1/sign-in/oidc/callback';
const PASSWORD = 'four words make one';
const directory = mkdtempSync(path.join(tmpdir(), 'aerie-providers-'));
let stop: (() => Promise<void>) | undefined;
let url = '';
let database: DataSource;
let audit: AuditIntake;
let api: ApiDatabase;
let caller: Caller;
let issuer: Issuer;
let key: SigningKey;
let other: SigningKey;
let count = 0;

beforeAll(async () => {
  const { redisUrl, mqttUrl } = testEnvironment();
  [key, other] = [await aSigningKey(), await aSigningKey()];
  const keyFile = path.join(directory, 'keys');
  writeFileSync(keyFile, `one ${randomBytes(32).toString('base64')}\n`);
  const started = await startAll(async (closers) => {
    issuer = await Issuer.start([key]);
    closers.push(() => issuer.stop());
    const made = await fleetTestDatabase();
    closers.push(made.drop);
    const nats = await startPrivateNats();
    closers.push(() => nats.remove());
    const config = loadConfig({
      ...{ FLEET_HTTP_PORT: '0', ...made.settings, REDIS_URL: redisUrl, NATS_URL: nats.url },
      ...{ MQTT_URL: mqttUrl, MQTT_USER: 'irrelevant', MQTT_PASSWORD: 'irrelevant', FLEET_DOCK_MQTT_URL: mqttUrl },
      ...{ FLEET_KEY_FILE: keyFile, FLEET_SIGN_IN_RETURN_URL: RETURN_URL, FLEET_PRIVATE_PROVIDERS: 'allowed' },
      // Each sign-in comes from an address of its own, because refusals are limited by address.
      HTTP_PROXY_HOPS: '1',
    });
    const service = await startInProcess(closers, {
      ...{ name: 'fleet-service', logger },
      compose: (host) => AppModule.compose(config, host),
      http: (app) => configureHttp(app, logger, ROUTES, 1),
    });
    return { ...made, ...service };
  });
  ({ url, stop, dataSource: database } = started);
  api = new ApiDatabase(started.api);
  audit = started.app.get<AuditIntake>(AuditTrail);
  caller = new Caller({ url, routes: ROUTES, key: '' });
}, 60_000);
afterAll(async () => {
  await stop?.();
  rmSync(directory, { recursive: true });
}, 30_000);

const anAddress = (): string => `198.51.${++count % 250}.${Math.ceil(count / 250)}`;
const anEmail = (): string => `person-${++count}@example.com`;

interface Organisation {
  readonly id: string;
  /** Session token of an org_admin with a password. */
  readonly admin: string;
  readonly adminEmail: string;
}

async function anOrganisation(): Promise<Organisation> {
  const token = await createSetupLink(api);
  const adminEmail = anEmail();
  const headers = { 'X-Forwarded-For': anAddress() };
  const body = { token, organisation: `organisation ${++count}`, email: adminEmail, name: 'Ada', password: PASSWORD };
  const made = await caller.call('setUpOrganisation', { key: null, body, headers });
  const { id } = made.body['organisation'] as { id: string };
  return { id, admin: await withPassword(adminEmail), adminEmail };
}

async function withPassword(email: string, organisationId?: string): Promise<string> {
  const headers = { 'X-Forwarded-For': anAddress() };
  const body = { email, password: PASSWORD, ...(organisationId === undefined ? {} : { organisationId }) };
  return String((await caller.call('signIn', { key: null, body, headers })).body['token']);
}

const connect = async ({ admin }: Organisation, more: object = {}): Promise<string> => {
  const body = { name: 'Login', issuer: issuer.url, clientId: 'aerie', clientSecret: 'a secret', ...more };
  return String((await caller.call('createIdentityProvider', { key: admin, body })).body['id']);
};
const invite = async ({ admin }: Organisation, email: string, roles = ['viewer']) =>
  (await caller.call('createInvitation', { key: admin, body: { email, roles } })).body as { id: string; token: string };

interface PendingSignIn {
  readonly browser: Browser;
  readonly location: URL;
}
/** Path of the redirect URI that a browser was sent away with. */
const returnPaths = new WeakMap<Browser, string>();
const begin = async (providerId: string): Promise<PendingSignIn> => {
  const browser = new Browser(anAddress());
  const response = await browser.open(`${url}/api/v1/sign-in/oidc/${providerId}`);
  const location = locationOf(response);
  returnPaths.set(browser, new URL(location.searchParams.get('redirect_uri') ?? '').pathname);
  return { browser, location };
};
const sentParameter = ({ location }: PendingSignIn, name: string): string => location.searchParams.get(name) ?? '';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}
const callBack = async (
  browser: Browser,
  query: Readonly<Record<string, string>>,
  path = returnPaths.get(browser) ?? `/api/v1/sign-in/oidc/callback/${randomUUID()}`,
): Promise<Answer> => {
  const response = await browser.open(`${url}${path}?${new URLSearchParams(query).toString()}`);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
};
/** A whole sign-in with these claims of the issuer. */
async function signIn(providerId: string, claims: JWTPayload = {}): Promise<Answer> {
  const pending = await begin(providerId);
  const good = goodClaims(issuer.url, 'aerie', sentParameter(pending, 'nonce'));
  const code = issuer.codeFor(await signed({ ...good, ...claims }, key));
  return callBack(pending.browser, { code, state: sentParameter(pending, 'state') });
}
const tokenOf = ({ status, body }: Answer): string => {
  if (status !== 200) throw new Error(`not signed in: ${JSON.stringify(body)}`);
  return String(body['token']);
};
const meOf = async (token: string) =>
  (await caller.call('getMe', { key: token })).body as { roles: string[]; by: string; person: { email: string } };
const recordsOf = ({ admin }: Organisation, records: number) =>
  eventually('the records of sign-ins', async () => {
    await audit.keep();
    const query = { operationId: 'finishProviderSignIn' };
    const items = (await caller.call('listAuditRecords', { key: admin, query })).body['items'] as {
      by: string;
      status: number;
      resources: object;
    }[];
    return items.length >= records && items;
  });
const refusal = (words: string) => ({
  status: 401,
  body: { code: 'sign_in_refused', detail: expect.stringContaining(words) as unknown },
});

describe('with a real identity provider', () => {
  it('signs an invited person in, recognises the subject after a change of the email, and the session can be ended', async () => {
    // It warns of everything that is for development only.
    for (const level of ['info', 'warn'] as const) jest.spyOn(console, level).mockReturnValue();
    const { default: OidcProvider } = await import('oidc-provider');
    const providerUrl = `http://127.0.0.1:${await freePort()}`;
    const organisation = await anOrganisation();
    const email = anEmail();
    let mail = email;
    const provider = new OidcProvider(providerUrl, {
      clients: [{ client_id: 'aerie', client_secret: 'a secret', redirect_uris: [`${RETURN_URL}/${organisation.id}`] }],
      claims: { email: ['email', 'email_verified'], profile: ['name'] },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, email: mail, email_verified: true, name: 'Berta' }),
      }),
      pkce: { required: () => true },
      cookies: { keys: ['irrelevant'] },
    });
    const server = createServer(provider.callback());
    await new Promise<void>((resolve) => server.listen(Number(new URL(providerUrl).port), '127.0.0.1', resolve));
    try {
      const providerId = await connect(organisation, { issuer: providerUrl });
      const { id: invitationId } = await invite(organisation, email, ['pilot']);
      const through = async (): Promise<Answer> => {
        const { browser, location } = await begin(providerId);
        let next = location;
        // Its development pages: a form for the login, then one for consent.
        for (let step = 0; step < 10 && !next.href.startsWith(RETURN_URL); step++) {
          const page = await browser.open(next.href);
          if (page.status === 200) {
            const prompt = (await page.text()).includes('name="login"') ? 'login' : 'consent';
            const form = { prompt, ...(prompt === 'login' ? { login: 'berta', password: 'irrelevant' } : {}) };
            next = locationOf(await browser.open(next.href, form), providerUrl);
          } else next = locationOf(page, providerUrl);
        }
        return callBack(browser, Object.fromEntries(next.searchParams));
      };
      const token = tokenOf(await through());
      const me = await meOf(token);
      expect(me).toMatchObject({ roles: ['pilot'], person: { email, name: 'Berta' } });
      const invitations = await caller.call('listInvitations', { key: organisation.admin });
      expect(invitations.body['items']).toMatchObject([{ id: invitationId, open: false }]);
      mail = anEmail();
      expect(await meOf(tokenOf(await through()))).toMatchObject({ by: me.by, person: { email } });
      const records = await recordsOf(organisation, 2);
      expect(records.map(({ by, status }) => [by, status])).toEqual([
        [me.by, 200],
        [me.by, 200],
      ]);
      expect(records[0]?.resources).toEqual({ provider: providerId });
      const params = { id: token.split('_')[1] ?? '' };
      expect((await caller.call('endSession', { key: token, params })).status).toBe(200);
      expect((await caller.call('getMe', { key: token })).status).toBe(401);
    } finally {
      jest.restoreAllMocks();
      server.closeAllConnections();
      server.close();
    }
  }, 30_000);
});

describe('an identity provider', () => {
  it('is connected, listed without its secret, changed and removed by its own organisation only', async () => {
    const organisation = await anOrganisation();
    const { admin } = organisation;
    const newcomers = { roles: ['viewer'], emailDomains: ['example.net'] };
    const id = await connect(organisation, { newcomers });
    const listed = await caller.call('listIdentityProviders', { key: admin });
    expect(listed.body['items']).toMatchObject([
      {
        id,
        issuer: issuer.url,
        newcomers,
        signInPath: `/api/v1/sign-in/oidc/${id}`,
        returnUrl: `${RETURN_URL}/${organisation.id}`,
      },
    ]);
    const [kept] = await database.query<object[]>('SELECT * FROM fleet.identity_provider WHERE id = $1', [id]);
    expect(`${listed.text} ${JSON.stringify(kept)}`).not.toContain('a secret');
    const changed = await caller.call('changeIdentityProvider', {
      ...{ key: admin, params: { id } },
      body: { name: 'Another', clientSecret: 'a new one', newcomers: null },
    });
    expect(changed.body).toMatchObject({ id, name: 'Another', newcomers: null });
    const stranger = await anOrganisation();
    for (const operation of ['changeIdentityProvider', 'removeIdentityProvider']) {
      const body = operation.startsWith('change') ? { body: { name: 'Mine' } } : {};
      const answer = await caller.call(operation, { key: stranger.admin, params: { id }, ...body });
      expect([answer.status, answer.body['code']]).toEqual([404, 'unknown_provider']);
    }
    expect((await caller.call('removeIdentityProvider', { key: admin, params: { id } })).status).toBe(200);
    expect((await new Browser(anAddress()).open(`${url}/api/v1/sign-in/oidc/${id}`)).status).toBe(404);
  });

  it.each([
    ['has no TLS', 'http://login.example.com', 'https://'],
    ['is a metadata service of a cloud', 'https://169.254.169.254', 'does not answer'],
    ['does not answer', 'http://127.0.0.1:1', 'does not answer'],
  ])('is refused if it %s, and the answer says why', async (_what, address, words) => {
    const { admin } = await anOrganisation();
    const body = { name: 'Login', issuer: address, clientId: 'aerie', clientSecret: 'a secret' };
    const answer = await caller.call('createIdentityProvider', { key: admin, body });
    expect([answer.status, answer.body['code']]).toEqual([503, 'provider_unavailable']);
    expect(answer.body['detail']).toContain(words);
  });

  it.each([
    ['names another issuer', { issuer: 'https://login.example.com' }],
    ['has its key set at a metadata service', { jwks_uri: 'https://169.254.169.254/keys' }],
    ['has its key set at a URL without TLS', { jwks_uri: 'http://login.example.com/keys' }],
    ['has a script as authorization endpoint', { authorization_endpoint: 'javascript:alert(1)' }],
    ['has no token endpoint', { token_endpoint: undefined }],
  ])('is refused if it %s [N51]', async (_what, metadata) => {
    const { admin } = await anOrganisation();
    issuer.metadata = metadata;
    try {
      const body = { name: 'Login', issuer: issuer.url, clientId: 'aerie', clientSecret: 'a secret' };
      const answer = await caller.call('createIdentityProvider', { key: admin, body });
      expect([answer.status, answer.body['code']]).toEqual([503, 'provider_unavailable']);
    } finally {
      issuer.metadata = {};
    }
  });
});

describe('access', () => {
  it('is given to the member with the verified email, whose password still works', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    const token = tokenOf(await signIn(providerId, { email: organisation.adminEmail.toUpperCase() }));
    const local = await meOf(organisation.admin);
    expect(await meOf(token)).toMatchObject({ by: local.by, roles: ['org_admin'] });
    expect((await meOf(await withPassword(organisation.adminEmail))).by).toBe(local.by);
  });

  it('is refused without membership, invitation or verified email, and audited', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    const email = anEmail();
    expect(await signIn(providerId, { email })).toMatchObject(refusal('not a member'));
    await invite(organisation, email);
    expect(await signIn(providerId, { email, email_verified: false })).toMatchObject(refusal('verified'));
    expect(await signIn(providerId, { email: undefined })).toMatchObject(refusal('verified'));
    const records = await recordsOf(organisation, 3);
    expect(records.map(({ by, status }) => [by, status])).toEqual(Array(3).fill([`provider:${providerId}`, 401]));
    tokenOf(await signIn(providerId, { email }));
  });

  it('is given to people without an invitation only in the configured email domains', async () => {
    const organisation = await anOrganisation();
    const newcomers = { roles: ['planner'], emailDomains: ['crew.example'] };
    const providerId = await connect(organisation, { newcomers });
    const token = tokenOf(await signIn(providerId, { sub: 'new', email: 'new@CREW.example' }));
    expect((await meOf(token)).roles).toEqual(['planner']);
    for (const email of ['x@evil-crew.example', 'x@sub.crew.example', 'x@crew.example.com']) {
      expect(await signIn(providerId, { sub: email, email })).toMatchObject(refusal('not a member'));
    }
  });

  it('is refused to a removed member until the next invitation', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    const email = anEmail();
    await invite(organisation, email);
    const token = tokenOf(await signIn(providerId, { email }));
    const id = (await meOf(token)).by.split(':')[1] ?? '';
    await caller.call('removeMember', { key: organisation.admin, params: { id } });
    expect((await caller.call('getMe', { key: token })).status).toBe(401);
    expect(await signIn(providerId, { email })).toMatchObject(refusal('not a member'));
    await invite(organisation, email, ['auditor']);
    expect((await meOf(tokenOf(await signIn(providerId, { email })))).roles).toEqual(['auditor']);
  });

  it('is refused to a second account of the provider with the email of a member', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    tokenOf(await signIn(providerId, { sub: 'first', email: organisation.adminEmail }));
    const second = await signIn(providerId, { sub: 'second', email: organisation.adminEmail });
    expect(second).toMatchObject(refusal('another account'));
  });

  it('creates one person if an invited person signs in twice at the same time', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    const email = anEmail();
    await invite(organisation, email);
    const both = await Promise.all([signIn(providerId, { email }), signIn(providerId, { email })]);
    const [one, two] = await Promise.all(both.map((answer) => meOf(tokenOf(answer))));
    expect(one?.by).toBe(two?.by);
  });
});

describe('the provider of one organisation', () => {
  it('cannot make a member of another organisation a member without their password', async () => {
    const [home, hostile] = [await anOrganisation(), await anOrganisation()];
    const providerId = await connect(hostile);
    const { token } = await invite(hostile, home.adminEmail);
    expect(await signIn(providerId, { email: home.adminEmail })).toMatchObject(refusal('with your password first'));
    const body = { token, password: PASSWORD };
    const headers = { 'X-Forwarded-For': anAddress() };
    expect((await caller.call('acceptInvitation', { key: null, body, headers })).status).toBe(201);
    const me = await meOf(tokenOf(await signIn(providerId, { email: home.adminEmail })));
    expect(me).toMatchObject({ roles: ['viewer'] });
  });

  it('cannot list or end sessions in another organisation, and its sessions do not displace them', async () => {
    const [home, hostile] = [await anOrganisation(), await anOrganisation()];
    const { token: invitation } = await invite(hostile, home.adminEmail);
    const body = { token: invitation, password: PASSWORD };
    const headers = { 'X-Forwarded-For': anAddress() };
    await caller.call('acceptInvitation', { key: null, body, headers });
    const providerId = await connect(hostile);
    const tokens: string[] = [];
    for (let sessions = 0; sessions < 21; sessions++) {
      tokens.push(tokenOf(await signIn(providerId, { email: home.adminEmail })));
    }
    const last = tokens.at(-1) ?? '';
    const listed = (await caller.call('listSessions', { key: last })).body['items'] as {
      organisation: { id: string };
    }[];
    expect(new Set(listed.map(({ organisation }) => organisation.id))).toEqual(new Set([hostile.id]));
    expect(listed.length).toBe(20);
    const params = { id: home.admin.split('_')[1] ?? '' };
    expect((await caller.call('endSession', { key: last, params })).status).toBe(404);
    expect((await caller.call('getMe', { key: home.admin })).status).toBe(200);
  }, 30_000);
});

describe('a sign-in is refused', () => {
  let organisation: Organisation;
  let providerId: string;
  beforeAll(async () => {
    organisation = await anOrganisation();
    providerId = await connect(organisation);
  });
  const good = async (pending: PendingSignIn): Promise<string> =>
    issuer.codeFor(
      await signed(
        { ...goodClaims(issuer.url, 'aerie', sentParameter(pending, 'nonce')), email: organisation.adminEmail },
        key,
      ),
    );

  it('if its callback arrives at the redirect URI of another organisation, and the code is shown to no provider', async () => {
    const [one, other] = [await anOrganisation(), await anOrganisation()];
    const pending = await begin(await connect(other));
    const code = issuer.codeFor(await signed(goodClaims(issuer.url, 'aerie', sentParameter(pending, 'nonce')), key));
    const asked = issuer.requests.length;
    const query = { code, state: sentParameter(pending, 'state') };
    const answer = await callBack(pending.browser, query, `/api/v1/sign-in/oidc/callback/${one.id}`);
    expect(answer).toMatchObject(refusal('another organisation'));
    expect(issuer.requests.length).toBe(asked);
  });

  it('if its callback arrives in another browser', async () => {
    const pending = await begin(providerId);
    const query = { code: await good(pending), state: sentParameter(pending, 'state') };
    expect(await callBack(new Browser(anAddress()), query)).toMatchObject(refusal('began no sign-in'));
    expect(await callBack((await begin(providerId)).browser, query)).toMatchObject(refusal('began another sign-in'));
    expect((await callBack(pending.browser, query)).status).toBe(200);
  });

  it('if its callback arrives a second time', async () => {
    const pending = await begin(providerId);
    const state = sentParameter(pending, 'state');
    expect(await callBack(pending.browser, { state, error: 'access_denied' })).toMatchObject(
      refusal('provider refused'),
    );
    const again = { state, code: await good(pending) };
    expect(await callBack(pending.browser, again)).toMatchObject(refusal('used before'));
  });

  it('if the provider rejects the code', async () => {
    const pending = await begin(providerId);
    const query = { code: 'made up', state: sentParameter(pending, 'state') };
    expect(await callBack(pending.browser, query)).toMatchObject(refusal('rejects the authorization code'));
  });

  it.each(BAD_TOKENS)(
    'if the ID token has %s, with one sentence and an audit record [N27-N30]',
    async (_what, make) => {
      const own = await anOrganisation();
      const ownProvider = await connect(own);
      const pending = await begin(ownProvider);
      const claims = { ...goodClaims(issuer.url, 'aerie', sentParameter(pending, 'nonce')), email: own.adminEmail };
      const code = issuer.codeFor(await make(claims, key, other));
      const answer = await callBack(pending.browser, { code, state: sentParameter(pending, 'state') });
      expect(answer).toMatchObject(refusal('begin again'));
      expect(await recordsOf(own, 1)).toMatchObject([{ by: `provider:${ownProvider}`, status: 401 }]);
    },
  );
});

describe('key rotation', () => {
  it('accepts the new key and refuses the old one [N29]', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    const next = await aSigningKey();
    issuer.keys = [next.jwk];
    try {
      const pending = await begin(providerId);
      const claims = {
        ...goodClaims(issuer.url, 'aerie', sentParameter(pending, 'nonce')),
        email: organisation.adminEmail,
      };
      const state = sentParameter(pending, 'state');
      const code = issuer.codeFor(await signed(claims, next));
      expect((await callBack(pending.browser, { code, state })).status).toBe(200);
      expect(await signIn(providerId)).toMatchObject(refusal('unknown key'));
    } finally {
      issuer.keys = [key.jwk];
    }
  });
});

describe('the answer says what to do', () => {
  it('if the provider is down', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    issuer.failsWith = 500;
    try {
      const response = await new Browser(anAddress()).open(`${url}/api/v1/sign-in/oidc/${providerId}`);
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { code: 'provider_unavailable', detail: expect.stringContaining('sign in with your password') as unknown },
      ]);
      expect(response.headers.get('retry-after')).not.toBeNull();
    } finally {
      issuer.failsWith = null;
    }
  });

  it('if the provider rejects our client id or secret', async () => {
    const organisation = await anOrganisation();
    const providerId = await connect(organisation);
    const pending = await begin(providerId);
    [issuer.failsWith, issuer.failsAt] = [401, /token/];
    try {
      const answer = await callBack(pending.browser, { code: randomUUID(), state: sentParameter(pending, 'state') });
      expect([answer.status, answer.body['code']]).toEqual([503, 'client_rejected']);
    } finally {
      [issuer.failsWith, issuer.failsAt] = [null, /./];
    }
  });
});

it('ends the sessions of a removed provider, and no others', async () => {
  const organisation = await anOrganisation();
  const providerId = await connect(organisation);
  const token = tokenOf(await signIn(providerId, { email: organisation.adminEmail }));
  await caller.call('removeIdentityProvider', { key: organisation.admin, params: { id: providerId } });
  expect((await caller.call('getMe', { key: token })).status).toBe(401);
  expect((await caller.call('getMe', { key: organisation.admin })).status).toBe(200);
});

it('lists no provider of another organisation', async () => {
  const organisation = await anOrganisation();
  await connect(organisation);
  const stranger = await new ApiKeyStore(bothOf(database)).create('spec', false);
  expect((await caller.call('listIdentityProviders', { key: stranger })).body['items']).toEqual([]);
});
