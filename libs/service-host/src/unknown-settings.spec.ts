import { InvalidError } from '@aerie/kernel';
import { z } from 'zod';
import { readSettings } from './program-settings.js';
import { authorities, peer, secret } from './setting-files.js';

const SETTINGS = {
  program: 'mission-service',
  prefix: 'MISSION_',
  schema: z.object({
    MISSION_HTTP_PORT: z.coerce.number().int().describe('Port.'),
    MISSION_HTTP_HOST: z.string().default('127.0.0.1').describe('Address.'),
    MISSION_LOG_LEVEL: z.string().default('info').describe('Level.'),
    MISSION_START_WINDOW_MS: z.coerce.number().default(30_000).describe('Window.'),
    MISSION_MISSION_MODE: z.string().optional().describe('Mode.'),
    HTTP_PROXY_HOPS: z.coerce.number().default(0).describe('Proxies.'),
    NATS_URL: peer('nats').describe('NATS.'),
    S3_CA_FILE: authorities().describe('Authorities.'),
    S3_SECRET_ACCESS_KEY: secret(z.string().optional()).describe('Secret.'),
  }),
};
const GOOD = { MISSION_HTTP_PORT: '80', NATS_URL: 'nats://a:4222' };

function refused(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readSettings(SETTINGS, { ...GOOD, ...env });
    return [];
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return (error.fields ?? []).map(({ field, message }) => `${field}: ${message}`);
  }
}

describe('a variable that begins with the prefix of the program and is none of its settings', () => {
  it.each([
    ['MISSION_START_WINDOW_SECONDS', '; did you mean MISSION_START_WINDOW_MS?'],
    ['MISSION_START_WINDWO_MS', '; did you mean MISSION_START_WINDOW_MS?'],
    ['MISSION_STARTWINDOW_MS', '; did you mean MISSION_START_WINDOW_MS?'],
    ['MISSION_HTTP_PROT', '; did you mean MISSION_HTTP_PORT?'],
    ['MISSION_MODE', '; did you mean MISSION_MISSION_MODE?'],
    ['MISSION_COLOUR', ''],
    // Two could be meant, so none is named.
    ['MISSION_HTTP_ADDRESS', ''],
  ])('%s is refused%s', (name, meant) => {
    expect(refused({ [name]: '30' })).toEqual([`${name}: is no setting of mission-service${meant}`]);
  });

  it('is refused in one message with all else that is wrong', () => {
    const found = refused({ MISSION_HTTP_PORT: 'a', NATS_CA_FILE: '/none', MISSION_COLOUR: 'red', MISSION_SIZE: '' });
    expect(found.map((line) => line.split(':')[0])).toEqual([
      ...['MISSION_HTTP_PORT', 'NATS_CA_FILE', 'MISSION_COLOUR', 'MISSION_SIZE'],
    ]);
  });

  it('does not show its value, which may be a secret', () => {
    expect(refused({ MISSION_S3_SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  });

  it.each(['FLEET_COLOUR', 'LOG_LEVEL', 'PATH', 'MISSIONS', 'NODE_OPTIONS'])(
    '%s is of another program, and passed over',
    (name) => {
      expect(refused({ [name]: 'x' })).toEqual([]);
    },
  );

  it.each([
    ['MISSION_SERVICE_SERVICE_HOST', '10.0.0.7'],
    ['MISSION_SERVICE_SERVICE_PORT', '8080'],
    ['MISSION_SERVICE_SERVICE_PORT_HTTP', '8080'],
    ['MISSION_SERVICE_PORT', 'tcp://10.0.0.7:8080'],
    ['MISSION_SERVICE_PORT_8080_TCP', 'tcp://10.0.0.7:8080'],
    ['MISSION_SERVICE_PORT_8080_TCP_PROTO', 'tcp'],
    ['MISSION_SERVICE_PORT_8080_TCP_PORT', '8080'],
    ['MISSION_SERVICE_PORT_8080_TCP_ADDR', '10.0.0.7'],
  ])('%s is what Kubernetes tells of a service, and passed over', (name, value) => {
    expect(refused({ [name]: value })).toEqual([]);
  });

  it('is no service of Kubernetes because it ends in _PORT', () => {
    expect(refused({ MISSION_COLOUR_PORT: '8080' })).toHaveLength(1);
  });
});

describe('a variable with a prefix that other software may use', () => {
  it.each([
    ['NATS_CA_FILES', 'NATS_CA_FILE'],
    ['NATS_PASSWORDFILE', 'NATS_PASSWORD_FILE'],
    ['NATS_URL_FIEL', 'NATS_URL_FILE'],
    ['S3_SECRETS_ACCESS_KEY', 'S3_SECRET_ACCESS_KEY'],
    ['HTTP_PROXY_HOP', 'HTTP_PROXY_HOPS'],
  ])('%s is refused as a slip: %s is meant', (name, meant) => {
    expect(refused({ [name]: '1' })).toEqual([`${name}: is no setting of mission-service; did you mean ${meant}?`]);
  });

  it.each(['NATS_STREAM', 'S3_ENDPOINT_INTERNAL', 'MQTT_URLS', 'HTTP_PROXY', 'HTTP_PROXY_HOST', 'HTTP_PROXY_PORT'])(
    '%s belongs to somebody else, and is passed over',
    (name) => {
      expect(refused({ [name]: '1' })).toEqual([]);
    },
  );

  it('is passed over beside the right name: NATS_URI beside NATS_URL', () => {
    expect(refused({ NATS_URI: 'nats://a:4222' })).toEqual([]);
  });

  it('is passed over where it is empty', () => {
    expect(refused({ NATS_CA_FILES: '' })).toEqual([]);
  });
});
