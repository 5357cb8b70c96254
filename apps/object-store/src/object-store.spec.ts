import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { eventually } from '@aerie/testing';
import { ACCESS_KEY_ID, BUCKET, type RunningStore, SECRET, startStore } from './running-store.fixture.js';
import { DiskStore } from './storage/disk-store.js';

let store: RunningStore;
let client: S3Client;

beforeAll(async () => {
  store = await startStore();
  client = store.client();
});
afterAll(() => store.stop());

let sequence = 0;
const aKey = (name = 'object'): string => `org/${++sequence}/${name}`;
const put = (Key: string, Body: string | Buffer = 'content', more: object = {}) =>
  client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
const read = async (Key: string, more: object = {}): Promise<string> => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
  return (await Body?.transformToString()) ?? '';
};
const refused = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'not refused',
    (error: unknown) => (error as Error).name,
  );
const codeOf = async (response: Response): Promise<string> =>
  `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1] ?? 'no code'}`;

describe('an object, by the AWS SDK', () => {
  it('is stored and read back, with its MD5 as its ETag', async () => {
    const key = aKey('wayline.kmz');
    const content = randomBytes(300_000);
    const { ETag } = await put(key, content, { ContentType: 'application/vnd.google-earth.kmz' });
    expect(ETag).toBe(`"${createHash('md5').update(content).digest('hex')}"`);
    const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? [])).toEqual(content);
    expect(answer).toMatchObject({ ContentLength: 300_000, ContentType: 'application/vnd.google-earth.kmz', ETag });
  });

  it('is stored from a stream, whose checksum comes in a trailer', async () => {
    const key = aKey();
    const pieces = Array.from({ length: 40 }, () => randomBytes(10_000));
    const Body = Readable.from(pieces);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body, ContentLength: 400_000 }));
    const { Body: stored } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(Buffer.from((await stored?.transformToByteArray()) ?? [])).toEqual(Buffer.concat(pieces));
  });

  it.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'])('is stored with the checksum %s', async (ChecksumAlgorithm) => {
    const key = aKey();
    await put(key, 'content', { ChecksumAlgorithm });
    expect(await read(key)).toBe('content');
  });

  it.each(['with space', 'ünï/cödé 😀', 'quotes \' " ( ) * !', 'plus+and%percent', 'a//b/', '&<>;=?#'])(
    'may be called %j',
    async (name) => {
      const key = aKey(name);
      await put(key, name);
      expect(await read(key)).toBe(name);
      const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key }));
      expect(Contents?.map(({ Key }) => Key)).toEqual([key]);
    },
  );

  it('may be empty, and may stand beside a longer key', async () => {
    const key = aKey();
    await put(key, '', { ContentLength: 0 });
    await put(`${key}/below`, 'x');
    expect(await read(key)).toBe('');
  });

  it('is replaced as a whole', async () => {
    const key = aKey();
    await put(key, 'a longer first content');
    await put(key, 'second');
    expect(await read(key)).toBe('second');
  });

  it('is read in part', async () => {
    const key = aKey();
    await put(key, '0123456789');
    expect(await read(key, { Range: 'bytes=2-4' })).toBe('234');
    expect(await read(key, { Range: 'bytes=-3' })).toBe('789');
    expect(await read(key, { Range: 'bytes=8-' })).toBe('89');
    expect(await refused(read(key, { Range: 'bytes=10-' }))).toBe('InvalidRange');
  });

  it('is known by HEAD, until it is deleted', async () => {
    const key = aKey();
    await put(key);
    expect(await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))).toMatchObject({ ContentLength: 7 });
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(await refused(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key })))).toBe('NotFound');
    expect(await refused(read(key))).toBe('NoSuchKey');
  });

  it('cannot be replaced when it was to be the first', async () => {
    const key = aKey();
    await put(key, 'first', { IfNoneMatch: '*' });
    expect(await refused(put(key, 'second', { IfNoneMatch: '*' }))).toBe('PreconditionFailed');
    expect(await read(key)).toBe('first');
  });

  it('is stored once when many try to be the first', async () => {
    const key = aKey();
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, i) => refused(put(key, `writer ${i}`, { IfNoneMatch: '*' }))),
    );
    expect(outcomes.filter((outcome) => outcome === 'not refused')).toHaveLength(1);
    expect(await read(key)).toBe(`writer ${outcomes.indexOf('not refused')}`);
  });

  it('is listed by prefix, in the order of its key, page by page', async () => {
    const prefix = aKey('list/');
    for (const name of ['c', 'a', 'B', 'ä', 'b']) await put(`${prefix}${name}`, name);
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix, MaxKeys: 2, ContinuationToken }),
      );
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key?.slice(prefix.length)));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(seen).toEqual(['B', 'a', 'b', 'c', 'ä']);
  });

  it('outlives a restart', async () => {
    const key = aKey();
    await put(key, 'kept');
    const again = await DiskStore.open(store.directory, [BUCKET]);
    expect(again.find(BUCKET, key)).toMatchObject({ key, sizeBytes: 4 });
  });
});

describe('a presigned URL', () => {
  const presignGet = (key: string, options: object = {}) =>
    getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: key }), { expiresIn: 60, ...options });

  it('reads one object, without any header', async () => {
    const key = aKey('way line.kmz');
    await put(key, 'route');
    const response = await fetch(await presignGet(key));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('route');
  });

  it('may say how a browser keeps the object', async () => {
    const key = aKey();
    await put(key);
    const command = new GetObjectCommand({
      Bucket: BUCKET,
      Key: key,
      ResponseContentDisposition: 'attachment; filename="a.kmz"',
    });
    const response = await fetch(await getSignedUrl(client, command));
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="a.kmz"');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('writes one object', async () => {
    const key = aKey();
    const signing = store.client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    const url = await getSignedUrl(signing, new PutObjectCommand({ Bucket: BUCKET, Key: key }));
    expect((await fetch(url, { method: 'PUT', body: 'uploaded' })).status).toBe(200);
    expect(await read(key)).toBe('uploaded');
  });

  it('is good for its method only', async () => {
    const key = aKey();
    await put(key);
    expect(await codeOf(await fetch(await presignGet(key), { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch');
    expect(await read(key)).toBe('content');
  });

  it('is good for its key only', async () => {
    const [mine, other] = [aKey('mine'), aKey('other')];
    await put(other);
    const url = (await presignGet(mine)).replace(mine, other);
    expect(await codeOf(await fetch(url))).toBe('403 SignatureDoesNotMatch');
  });

  it('is good for its bucket only', async () => {
    const url = (await presignGet(aKey())).replace(`/${BUCKET}/`, '/other-bucket/');
    expect(await codeOf(await fetch(url))).toBe('403 SignatureDoesNotMatch');
  });

  it('cannot be given a longer life', async () => {
    const url = (await presignGet(aKey())).replace('X-Amz-Expires=60', 'X-Amz-Expires=604800');
    expect(await codeOf(await fetch(url))).toBe('403 SignatureDoesNotMatch');
  });

  it('cannot be given another parameter', async () => {
    const url = `${await presignGet(aKey())}&response-content-type=text%2Fhtml`;
    expect(await codeOf(await fetch(url))).toBe('403 SignatureDoesNotMatch');
  });

  it('ends', async () => {
    const url = await presignGet(aKey(), { signingDate: new Date(Date.now() - 62_000) });
    const response = await fetch(url);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>AccessDenied</Code><Message>Request has expired</Message>');
  });

  it('does not begin in the future', async () => {
    const url = await presignGet(aKey(), { signingDate: new Date(Date.now() + 3_600_000) });
    expect(await codeOf(await fetch(url))).toBe('403 AccessDenied');
  });

  it('of another secret is refused', async () => {
    const other = store.client({
      credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'not the secret at all' },
    });
    const url = await getSignedUrl(other, new GetObjectCommand({ Bucket: BUCKET, Key: aKey() }));
    expect(await codeOf(await fetch(url))).toBe('403 SignatureDoesNotMatch');
  });

  it('cannot lose its signature, or have one parameter twice', async () => {
    const url = await presignGet(aKey());
    expect(await codeOf(await fetch(url.split('?')[0] ?? ''))).toBe('403 AccessDenied');
    expect(await codeOf(await fetch(url.replace(/X-Amz-Signature=[0-9a-f]+&/, '')))).toBe(
      '400 AuthorizationQueryParametersError',
    );
    expect(await codeOf(await fetch(`${url}&x-amz-expires=60`))).toBe('400 InvalidURI');
  });

  it('does not let other headers change what it does', async () => {
    const key = aKey();
    const signing = store.client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    const url = await getSignedUrl(signing, new PutObjectCommand({ Bucket: BUCKET, Key: key }));
    const response = await fetch(url, {
      method: 'PUT',
      body: 'x',
      headers: { 'x-amz-copy-source': '/other-bucket/y' },
    });
    expect(await codeOf(response)).toBe('403 AccessDenied');
  });
});

describe('a signature that is refused', () => {
  const head = (config: object) =>
    store.client(config).send(new GetObjectCommand({ Bucket: BUCKET, Key: 'irrelevant' }));

  it('was made with another secret', async () => {
    const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'not the secret at all' };
    expect(await refused(head({ credentials }))).toBe('SignatureDoesNotMatch');
  });

  it('names a key that nobody has', async () => {
    const credentials = { accessKeyId: 'AKNOBODY', secretAccessKey: SECRET };
    expect(await refused(head({ credentials }))).toBe('InvalidAccessKeyId');
  });

  it('has a session token, which nobody gave out', async () => {
    const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET, sessionToken: 'token' };
    expect(await refused(head({ credentials }))).toBe('InvalidToken');
  });

  it('is for another region', async () => {
    expect(await refused(head({ region: 'eu-central-1' }))).toBe('AuthorizationHeaderMalformed');
  });

  it.each([-16, 16])('is %i minutes off', async (minutes) => {
    expect(await refused(head({ systemClockOffset: minutes * 60_000 }))).toBe('RequestTimeTooSkewed');
  });

  it('is missing', async () => {
    expect(await codeOf(await fetch(`${store.url}/${BUCKET}/x`))).toBe('403 AccessDenied');
  });

  it('is for another payload', async () => {
    const key = aKey();
    const tampered = store.client();
    tampered.middlewareStack.add(
      (next) => (args) => {
        (args.request as { body: unknown }).body = Buffer.from('tampered');
        return next(args);
      },
      // After the signature was made.
      { step: 'finalizeRequest', priority: 'low' },
    );
    expect(await refused(tampered.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: 'original' })))).toMatch(
      /XAmzContentSHA256Mismatch/,
    );
    expect(store.store.find(BUCKET, key)).toBeNull();
  });
});

describe('a request that is refused', () => {
  it('is for a bucket that is not there', async () => {
    const command = new PutObjectCommand({ Bucket: 'no-such-bucket', Key: 'x', Body: 'x' });
    expect(await refused(client.send(command))).toBe('NoSuchBucket');
    expect(await refused(client.send(new HeadBucketCommand({ Bucket: 'no-such-bucket' })))).toBe('NotFound');
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
  });

  it.each([
    ['climbs', '../../etc/passwd', 'InvalidArgument'],
    ['climbs from below', 'a/../../b', 'InvalidArgument'],
    ['has a dot', './a', 'InvalidArgument'],
    ['has a NUL byte', 'a\u0000b', 'InvalidArgument'],
    ['is too long', 'x'.repeat(1_100), 'KeyTooLongError'],
  ])('has a key that %s, although its signature is good', async (_what, key, code) => {
    const { url, headers } = await signedPut(key, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, undefined);
    expect(await codeOf(await fetch(url, { method: 'PUT', headers, body: 'x' }))).toBe(`400 ${code}`);
  });

  it('climbs out of its bucket by its path', async () => {
    for (const path of [`/${BUCKET}/../../../etc/passwd`, `/${BUCKET}/..%2f..%2fetc/passwd`, '/../etc/passwd', '/%']) {
      expect(await rawGet(store.url, path)).toMatch(/^HTTP\/1.1 4\d\d /);
    }
  });

  it('has a wrong MD5', async () => {
    const key = aKey();
    expect(await refused(put(key, 'content', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }))).toBe('BadDigest');
    expect(await refused(put(key, 'content', { ContentMD5: 'short' }))).toBe('InvalidDigest');
    expect(store.store.find(BUCKET, key)).toBeNull();
  });

  it('has a wrong checksum', async () => {
    const key = aKey();
    expect(await refused(put(key, 'content', { ChecksumCRC32: 'AAAAAA==' }))).toBe('BadDigest');
    expect(store.store.find(BUCKET, key)).toBeNull();
  });

  it('has a wrong checksum in its trailer', async () => {
    const key = aKey();
    const url = await signedPut(key, { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }, 7);
    const body = '7\r\ncontent\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n';
    expect(await codeOf(await fetch(url.url, { method: 'PUT', headers: url.headers, body }))).toBe('400 BadDigest');
    expect(store.store.find(BUCKET, key)).toBeNull();
  });

  it.each([
    ['ends in the middle of a chunk', '7\r\ncont'],
    ['ends before its last chunk', '7\r\ncontent\r\n'],
    ['has a size that is none', 'zz\r\ncontent\r\n0\r\n\r\n'],
    ['is shorter than it was said to be', '3\r\ncon\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'],
    ['is longer than it was said to be', '8\r\ncontents\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'],
    ['has no trailer, which it promised', '7\r\ncontent\r\n0\r\n\r\n'],
  ])('has a chunked body that %s', async (_what, body) => {
    const key = aKey();
    const url = await signedPut(key, { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }, 7);
    expect(await codeOf(await fetch(url.url, { method: 'PUT', headers: url.headers, body }))).toMatch(/^400 /);
    expect(store.store.find(BUCKET, key)).toBeNull();
  });

  it('is larger than an object may be', async () => {
    const url = await signedPut(
      aKey(),
      { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      6 * 1024 ** 3,
    );
    expect(await codeOf(await fetch(url.url, { method: 'PUT', headers: url.headers, body: 'x' }))).toBe(
      '400 EntityTooLarge',
    );
  });

  it('asks for what this store does not do', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'x', PartNumber: 1 }));
    expect(await codeOf(await fetch(url))).toBe('501 NotImplemented');
  });

  it('ends in the middle of its body, and leaves nothing behind', async () => {
    const key = aKey();
    const { url, headers } = await signedPut(key, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, undefined);
    const lines = Object.entries({ ...headers, 'content-length': '1000' }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(`PUT ${new URL(url).pathname} HTTP/1.1\r\n${lines.join('')}\r\n${'x'.repeat(500)}`);
    await eventually(
      'the upload is under way',
      async () => (await readdir(join(store.directory, 'incoming'))).length === 1,
    );
    socket.destroy();
    await eventually(
      'the upload is cleared away',
      async () => (await readdir(join(store.directory, 'incoming'))).length === 0,
    );
    expect(store.store.find(BUCKET, key)).toBeNull();
  });
});

/** A PUT with headers of our choice and a true signature. */
async function signedPut(key: string, headers: Record<string, string>, decodedLength: number | undefined) {
  const chunked = headers['x-amz-content-sha256']?.startsWith('STREAMING-UNSIGNED') === true;
  const all: Record<string, string> = {
    host: new URL(store.url).host,
    ...headers,
    ...(chunked ? { 'x-amz-trailer': 'x-amz-checksum-crc32', 'content-encoding': 'aws-chunked' } : {}),
    ...(decodedLength === undefined ? {} : { 'x-amz-decoded-content-length': String(decodedLength) }),
  };
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const { Sha256 } = await import('@aws-crypto/sha256-js');
  const signer = new SignatureV4({
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
    region: 'us-east-1',
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });
  const path = `/${BUCKET}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const signed = await signer.sign({ method: 'PUT', protocol: 'http:', hostname: '127.0.0.1', path, headers: all });
  // Slashes escaped, or `fetch` would tidy the path up.
  return { url: `${store.url}/${BUCKET}/${encodeURIComponent(key)}`, headers: signed.headers };
}

/** Sends a path as it is, and gives the first line of the answer. */
function rawGet(url: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (piece) => (text += piece.toString()));
    socket.on('end', () => resolve(text.split('\r\n')[0] ?? ''));
    socket.on('error', reject);
  });
}
