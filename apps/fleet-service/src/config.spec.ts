import { loadConfig } from './config.js';

const SETTINGS = {
  ...{ FLEET_HTTP_PORT: '1', DATABASE_URL: 'postgres://spec@127.0.0.1:1/spec', DATABASE_ENGINE_PASSWORD: 'spec' },
  ...{ REDIS_URL: 'redis://127.0.0.1:1', NATS_URL: 'nats://127.0.0.1:1', FLEET_DOCK_MQTT_URL: 'mqtt://127.0.0.1:1' },
  ...{ MQTT_URL: 'mqtt://127.0.0.1:1', MQTT_USER: 'spec', MQTT_PASSWORD: 'spec' },
};
const RETURN_URL = 'https://aerie.example.com/api/v1/sign-in/oidc/callback';

it('takes the two settings of sign-in by identity providers together, or neither', () => {
  const both = { FLEET_KEY_FILE: '/keys', FLEET_SIGN_IN_RETURN_URL: RETURN_URL };
  expect(loadConfig({ ...SETTINGS, ...both })).toMatchObject(both);
  expect(loadConfig(SETTINGS).FLEET_KEY_FILE).toBeUndefined();
  for (const [name, other] of [
    ['FLEET_KEY_FILE', 'FLEET_SIGN_IN_RETURN_URL'],
    ['FLEET_SIGN_IN_RETURN_URL', 'FLEET_KEY_FILE'],
  ] as const) {
    expect(() => loadConfig({ ...SETTINGS, [name]: both[name] })).toThrow(`${other}: is required with ${name}`);
  }
});

it.each(['javascript:alert(1)', `${RETURN_URL}?next=1`, 'https://user@example.com/'])(
  'refuses %s as the redirect URI',
  (url) => {
    const settings = { ...SETTINGS, FLEET_KEY_FILE: '/keys', FLEET_SIGN_IN_RETURN_URL: url };
    expect(() => loadConfig(settings)).toThrow('FLEET_SIGN_IN_RETURN_URL');
  },
);

it('takes the origins of passkeys where they are of one host', () => {
  const origins = 'https://aerie.example.com, https://aerie.example.com:8443';
  expect(loadConfig({ ...SETTINGS, FLEET_PASSKEY_ORIGINS: origins }).FLEET_PASSKEY_ORIGINS).toEqual(
    origins.split(', '),
  );
  expect(loadConfig(SETTINGS).FLEET_PASSKEY_ORIGINS).toBeUndefined();
});

it.each([
  'https://aerie.example.com/',
  'http://aerie.example.com',
  'aerie.example.com',
  'https://one.example.com,https://other.example.com',
  '',
])('refuses "%s" as origins of passkeys', (origins) => {
  expect(() => loadConfig({ ...SETTINGS, FLEET_PASSKEY_ORIGINS: origins })).toThrow('FLEET_PASSKEY_ORIGINS');
});
