import { InvalidError } from '@aerie/kernel';
import { encodeReply } from '../encode.js';
import { dataOf } from '../fixtures/messages.js';
import { keysEndAtMs } from './storage-keys.js';

const NOW_MS = 1_700_000_000_000;

const output = {
  bucket: 'aerie',
  endpoint: 'https://storage.example.com',
  region: 'us-east-1',
  provider: 'minio',
  object_key_prefix: 'org/1/dock/D/media',
  credentials: { access_key_id: 'ASIA1', access_key_secret: 's', security_token: 't', expire: 3_600 },
} as const;

describe('storage_config_get', () => {
  it('is read with and without its module', () => {
    expect(dataOf('requests', 'storage_config_get', { module: '0' })).toEqual({ module: 0 });
    expect(dataOf('requests', 'storage_config_get', {})).toEqual({});
  });

  it('is answered as it was given', () => {
    expect(encodeReply('requests_reply', 'storage_config_get', { result: 0, output })).toEqual({ result: 0, output });
  });

  it('is read where the members lie beside output (D14)', () => {
    expect(dataOf('requests_reply', 'storage_config_get', { result: 0, ...output })).toEqual({ result: 0, output });
  });

  it.each([
    ['an endpoint without a scheme', { ...output, endpoint: 'storage.example.com' }],
    ['an instant instead of seconds', { ...output, credentials: { ...output.credentials, expire: NOW_MS } }],
    ['a provider that docks do not know', { ...output, provider: 'gcs' }],
    ['no token', { ...output, credentials: { ...output.credentials, security_token: '' } }],
  ])('is never answered with %s', (_, wrong) => {
    expect(() =>
      encodeReply('requests_reply', 'storage_config_get', { result: 0, output: wrong as typeof output }),
    ).toThrow(InvalidError);
  });
});

describe('K7: the end of keys', () => {
  it.each([
    ['seconds of life', 3_600, NOW_MS + 3_600_000],
    ['seconds since the epoch', 1_700_003_600, NOW_MS + 3_600_000],
    ['milliseconds since the epoch', NOW_MS + 3_600_000, NOW_MS + 3_600_000],
    ['no life at all', 0, NOW_MS],
  ])('is read from %s', (_, expire, endsAtMs) => {
    expect(keysEndAtMs(expire, NOW_MS)).toBe(endsAtMs);
  });
});
