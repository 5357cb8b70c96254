import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { refused } from './refusals.js';
import { SERVER, keysBelow, newPrefix, openBucket, s3 } from './server.js';

const root = newPrefix();
const Bucket = SERVER.bucket;
const owner = s3();

beforeAll(openBucket, 30_000);

const put = (name: string, Body: string | Uint8Array, more: Partial<PutObjectCommandInput> = {}) =>
  owner.send(new PutObjectCommand({ Bucket, Key: root + name, Body, ...more }));
const read = async (name: string, Range?: string): Promise<string> => {
  const { Body } = await owner.send(
    new GetObjectCommand({ Bucket, Key: root + name, ...(Range === undefined ? {} : { Range }) }),
  );
  return (await Body?.transformToString()) ?? '';
};

it('gives back what was put', async () => {
  await put('plain.txt', 'hello');
  expect(await read('plain.txt')).toBe('hello');
});

it('puts the new content in the place of the old', async () => {
  await put('twice.txt', 'first');
  await put('twice.txt', 'second, and longer');
  expect(await read('twice.txt')).toBe('second, and longer');
});

it('keeps an empty object', async () => {
  await put('empty', new Uint8Array());
  expect(await read('empty')).toBe('');
});

it('names an object by the MD5 of its content', async () => {
  const { ETag } = await put('etag', 'hello');
  expect(ETag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`);
});

it('tells length, type and time of an object without its content', async () => {
  await put('route.kmz', 'twelve bytes', { ContentType: 'application/vnd.google-earth.kmz' });
  const head = await owner.send(new HeadObjectCommand({ Bucket, Key: `${root}route.kmz` }));
  expect(head).toMatchObject({ ContentLength: 12, ContentType: 'application/vnd.google-earth.kmz' });
  expect(Math.abs((head.LastModified?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
});

it('keeps the metadata that came with an object', async () => {
  await put('noted', 'x', { Metadata: { dock: 'sn-1', flight: '42' } });
  const { Metadata } = await owner.send(new HeadObjectCommand({ Bucket, Key: `${root}noted` }));
  expect(Metadata).toEqual({ dock: 'sn-1', flight: '42' });
});

it.each([
  ['bytes=0-0', 'a'],
  ['bytes=2-4', 'cde'],
  ['bytes=5-', 'fgh'],
  ['bytes=-2', 'gh'],
  ['bytes=6-100', 'gh'],
])('gives only the range %s', async (range, expected) => {
  await put('letters', 'abcdefgh');
  expect(await read('letters', range)).toBe(expected);
});

it('says which range it gives, and of how much', async () => {
  await put('letters', 'abcdefgh');
  const answer = await owner.send(new GetObjectCommand({ Bucket, Key: `${root}letters`, Range: 'bytes=2-4' }));
  expect(answer).toMatchObject({ ContentRange: 'bytes 2-4/8', ContentLength: 3 });
  expect(answer.$metadata.httpStatusCode).toBe(206);
});

it('refuses a range that begins behind the end', async () => {
  await put('letters', 'abcdefgh');
  await refused(read('letters', 'bytes=8-'), ['InvalidRange']);
});

it('refuses to read what is not there', () => refused(read('nothing'), ['NoSuchKey']));

it('refuses a bucket that is not there', async () => {
  const missing = { Bucket: 'no-such-bucket-here', Key: 'x' };
  await refused(owner.send(new GetObjectCommand(missing)), ['NoSuchBucket']);
  await refused(owner.send(new PutObjectCommand({ ...missing, Body: 'x' })), ['NoSuchBucket']);
});

it('forgets an object that was deleted, also when it is deleted twice', async () => {
  await put('short-lived', 'x');
  const gone = new DeleteObjectCommand({ Bucket, Key: `${root}short-lived` });
  await owner.send(gone);
  await owner.send(gone);
  await refused(read('short-lived'), ['NoSuchKey']);
});

it('writes over nothing when the writer says so', async () => {
  await put('once', 'first', { IfNoneMatch: '*' });
  await refused(put('once', 'second', { IfNoneMatch: '*' }), ['PreconditionFailed']);
  expect(await read('once')).toBe('first');
});

it('sends nothing again that the reader has', async () => {
  const { ETag = '' } = await put('known', 'x');
  const again = owner.send(new GetObjectCommand({ Bucket, Key: `${root}known`, IfNoneMatch: ETag }));
  await expect(again).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
});

it.each([
  'ключ/日本語/naïve – 🚁.kmz',
  'a b+c&d=e?f#g%20h%2Fi.txt',
  `quotes'"<>and;more:,@!$*()[]{}|^~\`.txt`,
  'a//b/...c/.d',
  'upper/UPPER',
])('takes the key %s as it is', async (key) => {
  const folder = `keys-${createHash('md5').update(key).digest('hex')}/`;
  await put(folder + key, key);
  expect(await read(folder + key)).toBe(key);
  expect(await keysBelow(root + folder)).toEqual([root + folder + key]);
});

// To S3 dots are letters. A server may refuse them, but it never makes another key of them.
it.each(['dots/./a', 'dots/b/../c', 'dots/..'])('takes the key %s as it is, or not at all', async (key) => {
  const done = await put(key, key).catch((error: { name: string }) => expect(error.name).toBe('InvalidArgument'));
  expect(await keysBelow(`${root}${key}`)).toEqual(done === undefined ? [] : [root + key]);
});

describe('a list', () => {
  const names = ['list/a', 'list/b/1', 'list/b/2', 'list/c', 'list/d'];
  beforeAll(async () => {
    for (const name of [...names, 'list-of-others']) await put(name, name);
  });

  it('holds the keys with the prefix, in order, with their sizes', async () => {
    const { Contents } = await owner.send(new ListObjectsV2Command({ Bucket, Prefix: `${root}list/` }));
    expect(Contents?.map(({ Key, Size }) => [Key, Size])).toEqual(names.map((name) => [root + name, name.length]));
  });

  it('comes in pages, and a token leads to the next one', async () => {
    const pages: string[][] = [];
    let token: string | undefined;
    do {
      const page = await owner.send(
        new ListObjectsV2Command({
          ...{ Bucket, Prefix: `${root}list/`, MaxKeys: 2 },
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
      pages.push((page.Contents ?? []).map(({ Key }) => Key ?? ''));
      token = page.NextContinuationToken;
    } while (token !== undefined && pages.length < 10);
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(names.map((name) => root + name));
  });

  it('begins behind the key that was asked for', async () => {
    const { Contents } = await owner.send(
      new ListObjectsV2Command({ Bucket, Prefix: `${root}list/`, StartAfter: `${root}list/b/2` }),
    );
    expect(Contents?.map(({ Key }) => Key)).toEqual([`${root}list/c`, `${root}list/d`]);
  });

  // A server may do without folders, but then it has to say so rather than give a list that looks complete.
  it('shows folders where a delimiter is given, or says that it cannot', async () => {
    const asked = owner.send(new ListObjectsV2Command({ Bucket, Prefix: `${root}list/`, Delimiter: '/' }));
    const page = await asked.catch(() => undefined);
    if (page === undefined) return refused(asked, ['NotImplemented']);
    expect(page.CommonPrefixes).toEqual([{ Prefix: `${root}list/b/` }]);
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['a', 'c', 'd'].map((name) => `${root}list/${name}`));
  });

  it('is empty where nothing is', async () => expect(await keysBelow(`${root}nowhere/`)).toEqual([]));
});

it('takes a stream whose length is known', async () => {
  const body = Buffer.alloc(300_000, 'stream ');
  const client = s3(undefined, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  const parts = Readable.from([body.subarray(0, 100_001), body.subarray(100_001)]);
  await client.send(new PutObjectCommand({ Bucket, Key: `${root}streamed`, Body: parts, ContentLength: body.length }));
  expect(await read('streamed')).toBe(body.toString());
});
