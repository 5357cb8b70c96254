import { Secret } from '@aerie/kernel';
import { PresignDownload, type Storage } from './presign-download.js';

const ORGANISATION = '0b0f3c6e-6f0a-4c86-9b1c-1f6d3f0d4a11';
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const SHA256 = 'a'.repeat(64);
const objectKey = `${ORGANISATION}/waylines/${SHA256}.kmz`;
const NOW_MS = Date.UTC(2026, 0, 31, 12, 0, 0, 750);

const storage: Storage = {
  endpoint: 'http://storage.example:9000',
  region: 'eu-central-1',
  bucket: 'aerie',
  accessKeyId: 'AKEXAMPLE',
  secretAccessKey: new Secret('the secret of this test'),
  forcePathStyle: true,
};
const aPresigner = (parts: Partial<Storage> = {}) =>
  new PresignDownload({ ...storage, ...parts }, { nowMs: () => NOW_MS });
const refusalOf = (ask: { organisationId?: string; objectKey?: string }): Promise<unknown> =>
  aPresigner()
    .presign({ organisationId: ORGANISATION, objectKey, lifetimeSeconds: 300, ...ask })
    .catch((error: unknown) => error);

describe('PresignDownload', () => {
  it('makes a URL for one object that lives as long as asked', async () => {
    const download = await aPresigner().presign({ organisationId: ORGANISATION, objectKey, lifetimeSeconds: 300 });
    const url = new URL(download.url);
    expect(`${url.origin}${url.pathname}`).toBe(`http://storage.example:9000/aerie/${objectKey}`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
      'X-Amz-Credential': 'AKEXAMPLE/20260131/eu-central-1/s3/aws4_request',
      'X-Amz-Date': '20260131T120000Z',
      'X-Amz-Expires': '300',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
      // A dock sends no header of ours, so none may be signed but the one that every client sends.
      'X-Amz-SignedHeaders': 'host',
      'x-id': 'GetObject',
    });
    expect(download.expiresAtMs).toBe(Date.UTC(2026, 0, 31, 12, 5, 0));
  });

  it('names the bucket in the host where the storage wants it there', async () => {
    const presigner = aPresigner({ endpoint: 'https://s3.example', forcePathStyle: false });
    const { url } = await presigner.presign({ organisationId: ORGANISATION, objectKey, lifetimeSeconds: 30 });
    expect(url).toMatch(new RegExp(`^https://aerie\\.s3\\.example/${objectKey}\\?`));
  });

  it('does not put the secret into the URL', async () => {
    const { url } = await aPresigner().presign({ organisationId: ORGANISATION, objectKey, lifetimeSeconds: 30 });
    expect(decodeURIComponent(url)).not.toContain('the secret of this test');
  });

  it('refuses the object of another organisation', async () => {
    expect(await refusalOf({ organisationId: OTHER })).toMatchObject({
      kind: 'invalid',
      code: 'object_not_of_organisation',
      fields: [{ field: 'objectKey', message: 'belongs to another organisation' }],
    });
  });

  it.each([
    ['climbs into another organisation', `${ORGANISATION}/../${OTHER}/waylines/${SHA256}.kmz`],
    ['climbs at its end', `${ORGANISATION}/waylines/../../${OTHER}/waylines/${SHA256}.kmz`],
    ['begins with a slash', `/${objectKey}`],
    ['is of another kind', `${ORGANISATION}/logs/${SHA256}.kmz`],
    ['is no hash', `${ORGANISATION}/waylines/route.kmz`],
    ['is a hash in capitals', `${ORGANISATION}/waylines/${SHA256.toUpperCase()}.kmz`],
    ['has another line', `${objectKey}\n`],
    ['is empty', ''],
  ])('refuses a key that %s', async (_what, key) => {
    expect(await refusalOf({ objectKey: key })).toMatchObject({
      code: 'object_not_of_organisation',
      fields: [{ field: 'objectKey' }],
    });
  });

  it.each(['', '..', 'org', `${ORGANISATION}/`])('refuses %j as an organisation', async (organisationId) => {
    const key = `${organisationId}/waylines/${SHA256}.kmz`;
    expect(await refusalOf({ organisationId, objectKey: key })).toMatchObject({
      fields: [{ field: 'organisationId' }],
    });
  });
});
