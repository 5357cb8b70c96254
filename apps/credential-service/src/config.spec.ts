import { inspect } from 'node:util';
import { deploymentStorageOf, loadConfig } from './config.js';

const env = {
  CREDENTIAL_HTTP_PORT: '3000',
  CREDENTIAL_GRPC_PORT: '3001',
  CREDENTIAL_KEY_FILE: '/etc/aerie/keys',
  DATABASE_URL: 'postgres://user:password@127.0.0.1:5432/aerie',
  DATABASE_ENGINE_PASSWORD: 'spec',
  NATS_URL: 'nats://user:password@127.0.0.1:4222',
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  S3_BUCKET: 'aerie',
  S3_ACCESS_KEY_ID: 'AKEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'very secret',
  STS_ROLE_ARN: 'arn:aws:iam:::role/dock-upload',
};

describe('the configuration', () => {
  it('does not print its secret', () => {
    expect(inspect(loadConfig(env))).not.toContain('very secret');
    expect(JSON.stringify(loadConfig(env))).not.toContain('very secret');
  });

  it('has path style for s3 and the other for the rest, unless told otherwise', () => {
    const styleOf = (more: Record<string, string>) => deploymentStorageOf(loadConfig({ ...env, ...more })).pathStyle;
    expect([styleOf({}), styleOf({ S3_FORCE_PATH_STYLE: 'false' })]).toEqual([true, false]);
    expect([styleOf({ STORAGE_PROVIDER: 'aws' }), styleOf({ STORAGE_PROVIDER: 'ali' })]).toEqual([false, false]);
  });

  it('names everything that is missing at once', () => {
    expect(() => loadConfig({})).toThrow(/CREDENTIAL_HTTP_PORT[^]*S3_ENDPOINT[^]*S3_SECRET_ACCESS_KEY/);
  });

  it('takes the storage for where keys are made, unless that is elsewhere', () => {
    const storageOf = (more: Record<string, string>) => deploymentStorageOf(loadConfig({ ...env, ...more }));
    expect(storageOf({})).toMatchObject({ stsEndpoint: 'http://127.0.0.1:9000', iamEndpoint: null });
    expect(storageOf({ STORAGE_PROVIDER: 'aws' })).toMatchObject({ stsEndpoint: null });
    expect(storageOf({ STS_ENDPOINT: 'http://127.0.0.1:9001/' })).toMatchObject({
      stsEndpoint: 'http://127.0.0.1:9001',
    });
  });

  it('refuses an address that would not be used', () => {
    const config = loadConfig({ ...env, STORAGE_PROVIDER: 'ali', IAM_ENDPOINT: 'http://127.0.0.1:9000' });
    expect(() => deploymentStorageOf(config)).toThrow('IAM_ENDPOINT');
  });
});
