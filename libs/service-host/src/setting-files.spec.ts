import { inspect } from 'node:util';
import { InvalidError, Peer } from '@aerie/kernel';
import { type Authority, makeAuthority } from '@aerie/testing';
import { z } from 'zod';
import { readConfig } from './config.js';
import { authorities, listener, peer, secret } from './setting-files.js';

const schema = z.object({
  DATABASE_URL: peer('postgres').optional(),
  NATS_URL: peer('nats').optional(),
  REDIS_URL: peer('redis').optional(),
  MQTT_URL: peer('broker').optional(),
  S3_ENDPOINT: z.url().optional(),
  S3_CA_FILE: authorities(['S3_ENDPOINT']),
  MQTT_PASSWORD: secret(z.string().min(1)).optional(),
  LISTEN_CERT_FILE: listener(),
  PORT: z.coerce.number().default(1),
});
const read = (env: Record<string, string>) => readConfig(schema, env);

/** Field by field, without the sentence before. */
function problemsOf(env: Record<string, string>): Record<string, string> {
  try {
    read(env);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return Object.fromEntries((error.fields ?? []).map(({ field, message }) => [field, message]));
  }
  throw new Error('the configuration was taken');
}

let authority: Authority;
const file = (content: string, name = 'setting'): string => authority.write(name, content);
beforeAll(async () => {
  authority = await makeAuthority();
});
afterAll(() => authority.remove());

describe('a setting that holds a secret', () => {
  it('may be given as a file, whose content counts without its last line break', () => {
    expect(read({ MQTT_PASSWORD_FILE: file('hunter2\n') }).MQTT_PASSWORD).toBe('hunter2');
    expect(read({ MQTT_PASSWORD_FILE: file('hunter2\r\n') }).MQTT_PASSWORD).toBe('hunter2');
    expect(read({ MQTT_PASSWORD_FILE: file(' two\n\n') }).MQTT_PASSWORD).toBe(' two\n');
  });

  it('is not given when its file is named by an empty text', () => {
    expect(read({ MQTT_PASSWORD: 'a', MQTT_PASSWORD_FILE: '' }).MQTT_PASSWORD).toBe('a');
    expect(read({ MQTT_PASSWORD: '', MQTT_PASSWORD_FILE: file('b') }).MQTT_PASSWORD).toBe('b');
  });

  it('is refused when it is given both ways, by both names', () => {
    const { MQTT_PASSWORD: message } = problemsOf({ MQTT_PASSWORD: 'hunter2', MQTT_PASSWORD_FILE: file('hunter3') });
    expect(message).toContain('MQTT_PASSWORD_FILE');
    expect(message).not.toMatch(/hunter/);
  });

  it('is refused by name and path when its file is missing, empty, too large, or no file', () => {
    const messageOf = (at: string): string | undefined => problemsOf({ MQTT_PASSWORD_FILE: at })['MQTT_PASSWORD_FILE'];
    expect(messageOf('/nowhere/password')).toBe('cannot be used: /nowhere/password cannot be read (ENOENT)');
    const empty = file('\n');
    expect(messageOf(empty)).toBe(`cannot be used: ${empty} is empty`);
    const large = file('x'.repeat(65_537));
    expect(messageOf(large)).toBe(`cannot be used: ${large} is larger than 65536 bytes`);
    expect(messageOf('/dev/zero')).toBe('cannot be used: /dev/zero is no file');
  });

  it('that is required is not said to be missing as well when its file cannot be read', () => {
    const required = z.object({ MQTT_PASSWORD: secret(z.string().min(1)) });
    const failing = () => readConfig(required, { MQTT_PASSWORD_FILE: '/nowhere/password' });
    expect(failing).toThrow('MQTT_PASSWORD_FILE: cannot be used');
    expect(failing).not.toThrow(/required/);
  });

  it('has its file named together with all else that is wrong', () => {
    const problems = problemsOf({ MQTT_PASSWORD_FILE: '/nowhere/password', PORT: 'a', NATS_CA_FILE: '/nowhere/ca' });
    expect(Object.keys(problems)).toEqual(expect.arrayContaining(['MQTT_PASSWORD_FILE', 'PORT']));
  });
});

describe('the address of a server', () => {
  const NATS_URL = 'nats://127.0.0.1:4222';

  it('gets user and password from files, whatever characters they hold', () => {
    const { NATS_URL: nats } = read({
      NATS_URL,
      NATS_USER_FILE: file('a:b', 'u'),
      NATS_PASSWORD_FILE: file('p@/%ä', 'p'),
    });
    expect([nats?.user, nats?.password, nats?.tls]).toEqual(['a:b', 'p@/%ä', undefined]);
  });

  it('may be given as a file as a whole', () => {
    expect(read({ NATS_URL_FILE: file('nats://a:b@host:1\n') }).NATS_URL?.url).toBe('nats://a:b@host:1');
  });

  it('is refused when it holds a user or password that a file says, too', () => {
    const problems = problemsOf({
      NATS_URL: 'nats://a:hunter2@host:1',
      NATS_USER_FILE: file('a', 'u'),
      NATS_PASSWORD_FILE: file('hunter2', 'p'),
    });
    expect(Object.keys(problems)).toEqual(['NATS_USER_FILE', 'NATS_PASSWORD_FILE']);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('of a broker is refused with a user in it, which would not be used', () => {
    expect(problemsOf({ MQTT_URL: 'mqtt://a:b@host:1' })['MQTT_URL']).toContain('MQTT_PASSWORD');
  });

  it.each([
    ['NATS_URL', 'tls://host:1'],
    ['REDIS_URL', 'rediss://host:1'],
    ['MQTT_URL', 'mqtts://host:1'],
    ['DATABASE_URL', 'postgres://host:1/aerie?sslmode=verify-full'],
  ] as const)('%s demands TLS as %s, verified by public authorities where no file is given', (name, url) => {
    expect(read({ [name]: url })[name]?.tls).toEqual({});
  });

  it.each([
    ['NATS_URL', 'nats://host:1', 'NATS_CA_FILE'],
    ['DATABASE_URL', 'postgres://host:1/aerie', 'DATABASE_CA_FILE'],
  ] as const)('%s demands TLS as %s with %s', (name, url, setting) => {
    expect(read({ [name]: url, [setting]: authority.ca })[name]?.tls?.ca).toBe(authority.caPem);
  });

  it.each([
    ['REDIS_URL', 'redis://host:1', 'REDIS_CA_FILE', 'rediss://'],
    ['MQTT_URL', 'mqtt://host:1', 'MQTT_CA_FILE', 'mqtts://'],
    ['S3_ENDPOINT', 'http://host:1', 'S3_CA_FILE', 'https://'],
  ])('%s is refused as %s with %s, which would not be used', (name, url, setting, scheme) => {
    const { [setting]: message } = problemsOf({ [name]: url, [setting]: authority.ca });
    expect(message).toContain(`${name} must begin with ${scheme}`);
  });

  it.each([
    ['NATS_URL', 'http://host:1', 'must begin with nats:// or tls://, not http://'],
    ['MQTT_URL', 'ws://host:1', 'must begin with mqtt:// or mqtts://, not ws://'],
    ['DATABASE_URL', 'postgres://host/a?sslmode=require', 'must be verify-full or disable'],
    ['DATABASE_URL', 'postgres://host/a?sslrootcert=/ca', 'has parameters that are not used: sslrootcert'],
  ])('%s is refused as %s', (name, url, message) => {
    expect(problemsOf({ [name]: url })[name]).toContain(message);
  });

  it('takes a certificate with its key, and neither alone', async () => {
    const { cert, key } = await authority.issue('client');
    const nats = read({ NATS_URL, NATS_CERT_FILE: cert, NATS_KEY_FILE: key }).NATS_URL;
    expect(nats?.tls?.key?.reveal()).toContain('PRIVATE KEY');
    expect(problemsOf({ NATS_URL, NATS_CERT_FILE: cert })['NATS_KEY_FILE']).toContain('is required');
    expect(problemsOf({ NATS_URL, NATS_KEY_FILE: key })['NATS_CERT_FILE']).toContain('is required');
    const { key: other } = await authority.issue('other');
    expect(problemsOf({ NATS_URL, NATS_CERT_FILE: cert, NATS_KEY_FILE: other })['NATS_KEY_FILE']).toContain(
      'must be the private key of the certificate in NATS_CERT_FILE',
    );
  });

  it('refuses a file of authorities without any', () => {
    const at = file('hunter2');
    expect(problemsOf({ NATS_URL, NATS_CA_FILE: at })['NATS_CA_FILE']).toBe(
      `must hold certificates as PEM, and ${at} does not`,
    );
  });

  it('does not print its password', () => {
    const config = read({ NATS_URL: 'nats://a:hunter2@host:1' });
    expect(config.NATS_URL).toBeInstanceOf(Peer);
    expect(inspect(config) + JSON.stringify(config)).not.toContain('hunter2');
    expect(String(config.NATS_URL)).toBe('nats://host:1');
  });
});

it('authorities of a storage are trusted beside the public ones', () => {
  const { S3_CA_FILE: trusted } = read({ S3_ENDPOINT: 'https://host', S3_CA_FILE: authority.ca });
  expect(trusted?.at(-1)).toBe(authority.caPem);
  expect(trusted?.length).toBeGreaterThan(100);
  expect(read({}).S3_CA_FILE).toBeUndefined();
});

describe('the certificate of our listeners', () => {
  it('is read together with its key', async () => {
    const { cert, key } = await authority.issue();
    const { LISTEN_CERT_FILE: tls } = read({ LISTEN_CERT_FILE: cert, LISTEN_KEY_FILE: key });
    expect(tls?.cert).toContain('BEGIN CERTIFICATE');
    expect(tls?.key.reveal()).toContain('BEGIN PRIVATE KEY');
    expect(inspect(tls)).not.toContain('BEGIN PRIVATE KEY');
  });

  it('is refused without its key, with the key of another, and where either cannot be read', async () => {
    const [one, other] = [await authority.issue(), await authority.issue()];
    expect(problemsOf({ LISTEN_CERT_FILE: one.cert })).toEqual({
      LISTEN_KEY_FILE: expect.stringContaining('required'),
    });
    expect(problemsOf({ LISTEN_KEY_FILE: one.key })).toEqual({ LISTEN_CERT_FILE: expect.stringContaining('required') });
    const mixed = problemsOf({ LISTEN_CERT_FILE: one.cert, LISTEN_KEY_FILE: other.key });
    expect(mixed).toEqual({ LISTEN_KEY_FILE: expect.stringContaining('must be the private key of the certificate') });
    const missing = problemsOf({ LISTEN_CERT_FILE: '/nowhere/tls.crt', LISTEN_KEY_FILE: one.key });
    expect(missing['LISTEN_CERT_FILE']).toContain('/nowhere/tls.crt cannot be read');
  });
});
