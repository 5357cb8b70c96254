import { inspect } from 'node:util';
import { loadConfig } from './config.js';

const env = {
  CREDENTIAL_HTTP_PORT: '3000',
  NATS_URL: 'nats://user:password@127.0.0.1:4222',
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  S3_BUCKET: 'aerie',
  S3_ACCESS_KEY_ID: 'AKEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'very secret',
};

describe('the configuration', () => {
  it('does not print its secret', () => {
    expect(inspect(loadConfig(env))).not.toContain('very secret');
    expect(JSON.stringify(loadConfig(env))).not.toContain('very secret');
  });

  it('has path style unless told otherwise', () => {
    expect(loadConfig(env).S3_FORCE_PATH_STYLE).toBe(true);
    expect(loadConfig({ ...env, S3_FORCE_PATH_STYLE: 'false' }).S3_FORCE_PATH_STYLE).toBe(false);
  });

  it('names everything that is missing at once', () => {
    expect(() => loadConfig({})).toThrow(/CREDENTIAL_HTTP_PORT[^]*S3_ENDPOINT[^]*S3_SECRET_ACCESS_KEY/);
  });
});
