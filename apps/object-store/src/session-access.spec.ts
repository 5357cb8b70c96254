import { jest } from '@jest/globals';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '@aws-crypto/sha256-js';
import { type SessionCredentials, aPolicy, outcome, sessionOf, someRoles, uploadBelow } from './a-role.fixture.js';
import { BUCKET, type RunningStore, startStore } from './running-store.fixture.js';

// On a machine that does much else besides.
jest.setTimeout(30_000);

let nowMs = Date.now();
let store: RunningStore;
let root: S3Client;
let session: SessionCredentials;
let client: S3Client;

beforeAll(async () => {
  store = await startStore({ roles: someRoles(), clock: { nowMs: () => nowMs } });
  root = store.client();
  session = await sessionOf(store, uploadBelow('log/1/'));
  client = store.client({ credentials: session });
});
afterAll(() => store.stop());
afterEach(() => {
  nowMs = Date.now();
});

const put = (Key: string, by = client) => outcome(by.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' })));

const headStatus = async (by: S3Client, Key: string): Promise<number | undefined> =>
  by.send(new HeadObjectCommand({ Bucket: BUCKET, Key })).then(
    ({ $metadata }) => $metadata.httpStatusCode,
    (error: unknown) => (error as { $metadata: { httpStatusCode?: number } }).$metadata.httpStatusCode,
  );

/** A PUT of a path as it stands here, with a good signature of what the store will make of it. */
async function putRaw(path: string): Promise<string> {
  const { hostname, host } = new URL(store.url);
  const sha256 = Sha256;
  const signer = new SignatureV4({
    credentials: session,
    region: 'us-east-1',
    service: 's3',
    sha256,
    uriEscapePath: false,
  });
  const canonical = `/${decodeURIComponent(path).slice(1).split('/').map(encodeURIComponent).join('/')}`;
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const signed = await signer.sign({ method: 'PUT', protocol: 'http:', hostname, path: canonical, headers });
  const response = await fetch(`${store.url}${path}`, { method: 'PUT', headers: signed.headers, body: 'x' });
  return `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1] ?? ''}`;
}

describe('N61: credentials for uploads below log/1/', () => {
  it('write below their prefix, in one request and in parts', async () => {
    expect(await put('log/1/a.log')).toBe('done');
    const named = { Bucket: BUCKET, Key: 'log/1/parts' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(named));
    const part = await client.send(new UploadPartCommand({ ...named, UploadId, PartNumber: 1, Body: 'x' }));
    expect((await client.send(new ListPartsCommand({ ...named, UploadId }))).Parts).toHaveLength(1);
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    const complete = new CompleteMultipartUploadCommand({ ...named, UploadId, MultipartUpload });
    expect(await outcome(client.send(complete))).toBe('done');
  });

  it.each(['log/2/a', 'log/10/a', 'log/1', 'log/', 'a', 'LOG/1/a', '/log/1/a', 'log//1/a'])(
    'do not write %s',
    async (key) => {
      expect(await put(key)).toBe('AccessDenied');
      expect(store.store.find(BUCKET, key)).toBeNull();
    },
  );

  it('do not write into another bucket', async () => {
    const command = new PutObjectCommand({ Bucket: 'other-bucket', Key: 'log/1/a', Body: 'x' });
    expect(await outcome(client.send(command))).toBe('AccessDenied');
  });

  it('do not climb out of their prefix, in any spelling', async () => {
    expect(await putRaw(`/${BUCKET}/log/1/ok`)).toBe('200 ');
    expect(await putRaw(`/${BUCKET}/log/1%2F..%2F10%2Fa`)).toBe('400 InvalidArgument');
    expect(await putRaw(`/${BUCKET}/log%2F1%2F%2E%2E%2F10%2Fa`)).toBe('400 InvalidArgument');
    expect(await putRaw(`/${BUCKET}/log%2F10%2Fa`)).toBe('403 AccessDenied');
    expect(await putRaw(`/other-bucket%2Flog%2F1%2Fa`)).toBe('403 AccessDenied');
    // One key with a percent sign in it, below the prefix; nobody decodes it again.
    expect(await putRaw(`/${BUCKET}/log/1/..%252F..%252F10`)).toBe('200 ');
    expect(store.store.list(BUCKET, 'log/10', '', 1)).toEqual([]);
  });

  it('do not read, list or delete, not even what they have written', async () => {
    await put('log/1/written');
    const own = { Bucket: BUCKET, Key: 'log/1/written' };
    expect(await outcome(client.send(new GetObjectCommand(own)))).toBe('AccessDenied');
    expect(await headStatus(client, own.Key)).toBe(403);
    expect(await outcome(client.send(new DeleteObjectCommand(own)))).toBe('AccessDenied');
    const list = new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'log/1/' });
    expect(await outcome(client.send(list))).toBe('AccessDenied');
    expect(await outcome(client.send(new HeadBucketCommand({ Bucket: BUCKET })))).not.toBe('done');
    expect(await outcome(client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET })))).toBe('AccessDenied');
    expect(store.store.find(BUCKET, own.Key)).not.toBeNull();
  });

  it('delete nothing in a batch either', async () => {
    await put('log/1/batch');
    const Delete = { Objects: [{ Key: 'log/1/batch' }, { Key: 'elsewhere' }] };
    const { Errors, Deleted } = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }));
    expect(Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied', 'AccessDenied']);
    expect(Deleted ?? []).toEqual([]);
    expect(store.store.find(BUCKET, 'log/1/batch')).not.toBeNull();
  });

  it('do not reach the upload of another key by its id', async () => {
    const { UploadId } = await root.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'log/2/secret' }));
    const mine = { Bucket: BUCKET, Key: 'log/1/mine', UploadId };
    expect(await outcome(client.send(new UploadPartCommand({ ...mine, PartNumber: 1, Body: 'x' })))).toBe(
      'NoSuchUpload',
    );
    expect(await outcome(client.send(new AbortMultipartUploadCommand(mine)))).toBe('NoSuchUpload');
    const theirs = { ...mine, Key: 'log/2/secret' };
    expect(await outcome(client.send(new AbortMultipartUploadCommand(theirs)))).toBe('AccessDenied');
  });

  it('sign URLs, which are good for no more than they are', async () => {
    const signing = store.client({ credentials: session, requestChecksumCalculation: 'WHEN_REQUIRED' });
    const write = (Key: string) => getSignedUrl(signing, new PutObjectCommand({ Bucket: BUCKET, Key }));
    expect((await fetch(await write('log/1/by-url'), { method: 'PUT', body: 'x' })).status).toBe(200);
    expect((await fetch(await write('log/2/by-url'), { method: 'PUT', body: 'x' })).status).toBe(403);
    const without = (await write('log/1/by-url')).replace(/X-Amz-Security-Token=[^&]+&/, '');
    expect((await fetch(without, { method: 'PUT', body: 'x' })).status).toBe(403);
  });
});

describe('N62: credentials that have ended', () => {
  it('write nothing any more', async () => {
    const short = await sessionOf(store, uploadBelow('log/1/'), { DurationSeconds: 900 });
    nowMs += 899_000;
    const later = (ms: number) => store.client({ credentials: short, systemClockOffset: ms });
    expect(await put('log/1/just-in-time', later(899_000))).toBe('done');
    nowMs += 2_000;
    expect(await put('log/1/late', later(901_000))).toBe('ExpiredToken');
    expect(store.store.find(BUCKET, 'log/1/late')).toBeNull();
  });

  it('write nothing by a URL either that says that it is good for longer', async () => {
    const short = await sessionOf(store, uploadBelow('log/1/'), { DurationSeconds: 900 });
    const signing = store.client({ credentials: short, requestChecksumCalculation: 'WHEN_REQUIRED' });
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: 'log/1/late' });
    const url = await getSignedUrl(signing, command, { expiresIn: 3_600 });
    nowMs += 901_000;
    const response = await fetch(url, { method: 'PUT', body: 'x' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>ExpiredToken</Code>');
  });
});

describe('credentials that may read', () => {
  const reading = (...more: object[]) =>
    aPolicy({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/log/1/*` }, ...more);
  const listing = {
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: `arn:aws:s3:::${BUCKET}`,
    Condition: { StringLike: { 's3:prefix': 'log/1/*' } },
  };

  it('are not told whether an object is there unless they may list it', async () => {
    const blind = store.client({ credentials: await sessionOf(store, reading()) });
    const seeing = store.client({ credentials: await sessionOf(store, reading(listing)) });
    const missing = { Bucket: BUCKET, Key: 'log/1/missing' };
    expect(await outcome(blind.send(new GetObjectCommand(missing)))).toBe('AccessDenied');
    expect(await headStatus(blind, missing.Key)).toBe(403);
    expect(await outcome(seeing.send(new GetObjectCommand(missing)))).toBe('NoSuchKey');
    expect(await headStatus(seeing, missing.Key)).toBe(404);
  });

  it('list below their prefix only', async () => {
    const seeing = store.client({ credentials: await sessionOf(store, reading(listing)) });
    const list = (more: object) => outcome(seeing.send(new ListObjectsV2Command({ Bucket: BUCKET, ...more })));
    expect(await list({ Prefix: 'log/1/' })).toBe('done');
    expect(await list({ Prefix: 'log/1' })).toBe('AccessDenied');
    expect(await list({})).toBe('AccessDenied');
  });
});
