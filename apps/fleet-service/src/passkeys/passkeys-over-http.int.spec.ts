import { configureHttp } from '@aerie/http-api';
import { Caller } from '@aerie/http-api/testing';
import { createLogger } from '@aerie/observability';
import { ApiDatabase } from '@aerie/persistence';
import { startInProcess } from '@aerie/service-host/testing';
import { startAll, startPrivateNats, testEnvironment } from '@aerie/testing';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config.js';
import { Authenticator } from '../fixtures/authenticator.js';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { ROUTES } from '../openapi/fleet-api.js';
import { createSetupLink } from '../people/join.js';

const logger = createLogger('passkeys-spec', 'silent');
const ORIGIN = 'http://localhost:4000';
const PASSWORD = 'four words make one';
let stop: (() => Promise<void>) | undefined;
let caller: Caller;
let api: ApiDatabase;

beforeAll(async () => {
  const { redisUrl, mqttUrl } = testEnvironment();
  const started = await startAll(async (closers) => {
    const made = await fleetTestDatabase();
    closers.push(made.drop);
    const nats = await startPrivateNats();
    closers.push(() => nats.remove());
    const config = loadConfig({
      ...{ FLEET_HTTP_PORT: '0', ...made.settings, REDIS_URL: redisUrl, NATS_URL: nats.url },
      ...{ MQTT_URL: mqttUrl, MQTT_USER: 'irrelevant', MQTT_PASSWORD: 'irrelevant', FLEET_DOCK_MQTT_URL: mqttUrl },
      FLEET_PASSKEY_ORIGINS: ORIGIN,
    });
    const service = await startInProcess(closers, {
      ...{ name: 'fleet-service', logger },
      compose: (host) => AppModule.compose(config, host),
      http: (app) => configureHttp(app, logger, ROUTES, 0),
    });
    return { ...made, ...service };
  });
  ({ stop } = started);
  api = new ApiDatabase(started.api);
  caller = new Caller({ url: started.url, routes: ROUTES, key: '' });
}, 60_000);
afterAll(() => stop?.(), 30_000);

interface Options {
  readonly challengeId: string;
  readonly publicKey: { readonly challenge: string; readonly user?: { readonly id: string } };
}

it('adds a passkey, signs in with it, lists and removes it, each over its route', async () => {
  const token = await createSetupLink(api);
  const body = { token, organisation: 'Harbour', email: 'ada@example.com', name: 'Ada', password: PASSWORD };
  await caller.call('setUpOrganisation', { key: null, body });
  const signedIn = await caller.call('signIn', { key: null, body: { email: body.email, password: PASSWORD } });
  const session = String(signedIn.body['token']);
  const authenticator = new Authenticator();

  const adding = (await caller.call('beginPasskey', { key: session, body: { currentPassword: PASSWORD } }))
    .body as unknown as Options;
  const userHandle = adding.publicKey.user?.id ?? '';
  const says = ({ publicKey: { challenge } }: Options, signCount: number) => ({
    ...{ origin: ORIGIN, rpId: 'localhost', challenge, isVerified: true, signCount, userHandle },
  });
  const credential = authenticator.create(says(adding, 1));
  const added = await caller.call('addPasskey', {
    key: session,
    body: { challengeId: adding.challengeId, name: 'Phone', credential },
  });
  expect(added).toMatchObject({ status: 201, body: { name: 'Phone', lastUsedAt: null } });

  const begun = (await caller.call('beginPasskeySignIn', { key: null })).body as unknown as Options;
  const wish = { challengeId: begun.challengeId, credential: authenticator.get(says(begun, 2)) };
  const made = await caller.call('signInWithPasskey', { key: null, body: wish });
  expect(made).toMatchObject({ status: 201, body: { organisation: { name: 'Harbour' } } });
  const again = await caller.call('signInWithPasskey', { key: null, body: wish });
  expect(again).toMatchObject({ status: 401, body: { code: 'wrong_passkey' } });

  const own = String(made.body['token']);
  const { id } = added.body as { id: string };
  expect((await caller.call('listPasskeys', { key: own })).body).toMatchObject({ items: [{ id, name: 'Phone' }] });
  const removed = await caller.call('removePasskey', { key: own, params: { id } });
  expect(removed).toMatchObject({ status: 200, body: { id, endedSessions: 1 } });
  expect((await caller.call('getMe', { key: session })).status).toBe(401);
  expect((await caller.call('removePasskey', { key: own, params: { id } })).status).toBe(404);
});
