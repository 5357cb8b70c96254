import { Outbound } from '@aerie/outbound';
import { aStorage } from '../../storages/a-storage.fixture.js';
import type { Storage } from '../../storages/storage.js';
import { S3Provider } from './s3.provider.js';

const NOW_MS = Date.UTC(2026, 0, 31, 12, 0, 0);
const objectKey = 'org/0b0f3c6e-6f0a-4c86-9b1c-1f6d3f0d4a11/dock/D-1/media/a.jpeg';
const agents = new Outbound(true).agents();

const aProvider = (parts: Partial<Storage> = {}): S3Provider =>
  new S3Provider(aStorage({ dockEndpoint: 'http://storage.example:9000', region: 'eu-central-1', ...parts }), agents, {
    nowMs: () => NOW_MS,
  });

describe('an address that reads an object', () => {
  const read = { objectKey, lifetimeSeconds: 300, signedAtMs: NOW_MS };

  it('lives as long as asked and needs no header of ours, because docks send none', async () => {
    const url = new URL(await aProvider().presignGet(read));
    expect(`${url.origin}${url.pathname}`).toBe(`http://storage.example:9000/aerie/${objectKey}`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
      'X-Amz-Credential': 'AKEXAMPLE/20260131/eu-central-1/s3/aws4_request',
      'X-Amz-Date': '20260131T120000Z',
      'X-Amz-Expires': '300',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
      'X-Amz-SignedHeaders': 'host',
      'x-id': 'GetObject',
    });
  });

  it('is of the place where services reach the storage when a service is to read it', async () => {
    const provider = aProvider({ serviceEndpoint: 'http://storage.internal:9000' });
    expect(await provider.presignGet({ ...read, forService: true })).toMatch(
      /^http:\/\/storage\.internal:9000\/aerie\//,
    );
    expect(await provider.presignGet(read)).toMatch(/^http:\/\/storage\.example:9000\/aerie\//);
  });

  it('names the bucket in the host where the storage wants it there', async () => {
    const url = await aProvider({ dockEndpoint: 'https://s3.example', pathStyle: false }).presignGet(read);
    expect(url).toMatch(new RegExp(`^https://aerie\\.s3\\.example/${objectKey}\\?`));
  });

  it('makes a browser save what it gets under a name, whatever letters that has', async () => {
    const url = new URL(await aProvider().presignGet({ ...read, saveAs: 'Überflug "1".jpeg' }));
    expect(url.searchParams.get('response-content-disposition')).toBe(
      `attachment; filename="_berflug _1_.jpeg"; filename*=UTF-8''%C3%9Cberflug%20%221%22.jpeg`,
    );
  });

  it('does not hold the secret', async () => {
    expect(decodeURIComponent(await aProvider().presignGet(read))).not.toContain('the secret of this test');
  });
});

describe('calling keys back', () => {
  it.each([
    ['a storage without an address for it', { provider: 's3', iamEndpoint: null }, false],
    ['a storage with one', { provider: 's3', iamEndpoint: 'http://127.0.0.1:9000' }, true],
    ['AWS', { provider: 'aws', stsEndpoint: null }, true],
  ] as const)('for %s', (_what, parts, supported) => {
    expect(aProvider(parts).denialSupport.supported).toBe(supported);
  });

  it('says why where it cannot', async () => {
    await expect(aProvider().deny([], null)).rejects.toThrow('no iamEndpoint');
  });
});
