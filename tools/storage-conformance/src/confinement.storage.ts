import { randomUUID } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { sendSigned } from './plain-http.js';
import { DENIED, DENIED_OR_NOT_OFFERED, HEAD_DENIED, refused } from './refusals.js';
import { SERVER, type Session, assumeRole, keysBelow, newPrefix, openBucket, s3, uploadPolicy } from './server.js';

// N61: what a dock can do with the credentials for one upload, and above all what it cannot.
const Bucket = SERVER.bucket;
const organisation = newPrefix();
const logs = `${organisation}dock/SN1/log/`;
const prefix = `${logs}1/`;
const seeds = [`${prefix}own`, `${logs}2/other-log`, `${logs}10/sibling`, `${organisation}dock/SN2/log/1/other-dock`];
let session: Session;
let dock: S3Client;

beforeAll(async () => {
  await openBucket();
  for (const Key of seeds) await s3().send(new PutObjectCommand({ Bucket, Key, Body: `seed of ${Key}` }));
  session = await assumeRole({ policy: uploadPolicy(prefix) });
  dock = s3(session);
}, 30_000);

/** Whatever a test did: the objects of others are as they were, and nothing new lies outside of the prefix. */
afterEach(async () => {
  const outside = (await keysBelow(organisation)).filter((key) => !key.startsWith(prefix));
  expect(outside.sort()).toEqual(seeds.slice(1).sort());
  for (const Key of seeds) {
    const { Body } = await s3().send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe(`seed of ${Key}`);
  }
});

const put = (Key: string) => dock.send(new PutObjectCommand({ Bucket, Key, Body: 'intruder' }));

it('N61: writes below its prefix', async () => {
  await put(`${prefix}a/b.zip`);
  expect(await keysBelow(`${prefix}a/`)).toEqual([`${prefix}a/b.zip`]);
});

it.each([
  ["another dock's logs", `${organisation}dock/SN2/log/1/x`],
  ['a sibling whose name begins with the same text', `${logs}10/x`],
  ['another log of the same dock', `${logs}2/x`],
  ['the folder above', `${logs}x`],
  ['its prefix without the slash', `${logs}1`],
  ['its prefix in capitals', prefix.replace('log', 'LOG')],
  ['its prefix below another folder', `elsewhere/${prefix}x`],
  ['its prefix behind a slash', `/${prefix}x`],
  ['the root', `intruder-${randomUUID()}`],
])('N61: does not write to %s', async (_, key) => {
  await refused(put(key), DENIED);
  expect((await keysBelow('')).filter((found) => found === key)).toEqual([]);
});

it.each(seeds)('N61: does not write over, read, look at or delete %s', async (Key) => {
  if (!Key.startsWith(prefix)) await refused(put(Key), DENIED);
  await refused(dock.send(new GetObjectCommand({ Bucket, Key })), DENIED);
  await refused(dock.send(new HeadObjectCommand({ Bucket, Key })), HEAD_DENIED);
  await refused(dock.send(new DeleteObjectCommand({ Bucket, Key })), DENIED);
});

it('N61: does not list, not even below its prefix', async () => {
  for (const Prefix of ['', organisation, prefix]) {
    await refused(dock.send(new ListObjectsV2Command({ Bucket, Prefix })), DENIED);
    await refused(dock.send(new ListObjectsCommand({ Bucket, Prefix })), DENIED_OR_NOT_OFFERED);
  }
  await refused(dock.send(new ListMultipartUploadsCommand({ Bucket })), DENIED_OR_NOT_OFFERED);
});

// AWS does not tell those who may not list whether a key exists. Ceph does: it looks for the object before it asks what
// the session may do. Who could guess a key learns that it is there, and nothing of what is in it.
it('N61: is not told more of a key than that it does not exist', async () => {
  for (const Key of [`${prefix}nothing`, `${logs}2/nothing`]) {
    await refused(dock.send(new GetObjectCommand({ Bucket, Key })), [...DENIED, 'NoSuchKey']);
    await refused(dock.send(new HeadObjectCommand({ Bucket, Key })), [...HEAD_DENIED, 'NotFound']);
  }
});

it.each(seeds.slice(0, 2))('N61: neither reads nor changes the access rules of %s', async (Key) => {
  await refused(dock.send(new GetObjectAclCommand({ Bucket, Key })), DENIED_OR_NOT_OFFERED);
  await refused(dock.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'public-read' })), DENIED_OR_NOT_OFFERED);
});

it('N61: does not copy what it may not read', async () => {
  for (const source of seeds) {
    const copy = new CopyObjectCommand({
      Bucket,
      Key: `${prefix}copied`,
      CopySource: encodeURI(`${Bucket}/${source}`),
    });
    await refused(dock.send(copy), DENIED_OR_NOT_OFFERED);
  }
  expect(await keysBelow(`${prefix}copied`)).toEqual([]);
});

it('N61: does not delete by the list', async () => {
  // S3 answers 200 and refuses each key by itself; that nothing is gone is looked at after the test.
  await dock
    .send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: seeds.map((Key) => ({ Key })) } }))
    .then(({ Deleted = [] }) => expect(Deleted).toEqual([]))
    .catch((error: { name: string }) => expect(DENIED_OR_NOT_OFFERED).toContain(error.name));
});

it('N61: has no say over buckets', async () => {
  // A server that makes no buckets may find none of this name before it asks who wants it.
  const create = dock.send(new CreateBucketCommand({ Bucket: `intruder-${randomUUID()}` }));
  await refused(create, [...DENIED_OR_NOT_OFFERED, 'NoSuchBucket']);
  await refused(dock.send(new DeleteBucketCommand({ Bucket })), DENIED_OR_NOT_OFFERED);
  await refused(dock.send(new PutBucketPolicyCommand({ Bucket, Policy: '{}' })), DENIED_OR_NOT_OFFERED);
  await dock
    .send(new ListBucketsCommand({}))
    .then(({ Buckets = [] }) => expect(Buckets).toEqual([]))
    .catch((error: { name: string }) => expect(DENIED_OR_NOT_OFFERED).toContain(error.name));
});

/** `{}` is a name that no other attempt has. */
const CROOKED = [
  ['dots', '1/../2/{}'],
  ['dots that lead to another dock', '1/../../../SN2/log/1/{}'],
  ['dots to the root and beyond', '1/../../../../../../../../{}'],
  ['encoded dots', '1/%2e%2e/2/{}'],
  ['dots encoded twice', '1/%252e%252e/2/{}'],
  ['an encoded slash', '1%2F..%2F2%2F{}'],
  ['an encoded slash in the sibling', '10%2F{}'],
  ['a slash encoded twice', '1%252F..%252F2/{}'],
  ['a slash encoded twice in the sibling', '10%252F{}'],
  ['a backslash', '1%5C..%5C2%5C{}'],
  ['slashes in a row', '1//..//2/{}'],
  ['a slash too many before', '/1/{}'],
  ['a zero byte', '2/{}%00/1/'],
  ['a slash of two bytes', '1/..%c0%af2/{}'],
  ['a query that is part of the key', '2/{}%3Fkey=1/'],
  ['a trailing dot segment', '2/{}/../../1/.'],
] as const;

it.each(CROOKED)('N61: writes nothing outside of its prefix with %s', async (_, form) => {
  // A signature for what is sent, and for what a server might make of it before it looks at the signature.
  for (const sign of [asSent, decoded, resolved, (path: string) => resolved(decoded(path))]) {
    const name = randomUUID();
    const path = `/${Bucket}/${logs}${form.replace('{}', name)}`;
    const signedPath = sign(path);
    const { status } = await sendSigned({ method: 'PUT', path, signedPath, body: 'intruder' }, session);
    const written = (await keysBelow('')).filter((key) => key.includes(name));
    // To S3 dots are letters: `log/1/../2/x` is a key below `log/1/`, and nothing else. So a server may store it under
    // exactly that name, or refuse it.
    if (status >= 400) expect(written).toEqual([]);
    else expect(written.every((key) => key.startsWith(prefix))).toBe(true);
    expect(status).not.toBe(500);
  }
});

it.each(CROOKED)('N61: reads nothing with %s', async (_, form) => {
  const [, , , otherDock = ''] = seeds;
  for (const target of ['own', 'other-log', 'sibling', otherDock]) {
    const path = `/${Bucket}/${logs}${form.replace('{}', target)}`;
    for (const method of ['GET', 'DELETE']) {
      expect((await sendSigned({ method, path }, session)).status).toBeGreaterThanOrEqual(400);
    }
  }
});

const asSent = (path: string): string => path;

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

const resolved = (path: string): string => new URL(path, SERVER.endpoint).pathname;
