import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { outcome } from './a-role.fixture.js';
import { BUCKET, type RunningStore, startStore } from './running-store.fixture.js';

// On a machine that does much else besides.
jest.setTimeout(30_000);

const MIB = 1024 ** 2;
const LIMITS = { maxObjectBytes: 20 * MIB, maxPartBytes: 8 * MIB };

let nowMs = Date.now();
let store: RunningStore;
let client: S3Client;
beforeAll(async () => {
  store = await startStore({ limits: LIMITS, clock: { nowMs: () => nowMs } });
  client = store.client();
});
afterAll(() => store.stop());

let sequence = 0;
const aKey = () => ({ Bucket: BUCKET, Key: `upload/${++sequence}` });
type Named = ReturnType<typeof aKey>;
const begin = async (named: Named) => {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...named, ContentType: 'video/mp4' }));
  return { ...named, UploadId };
};
type Begun = Awaited<ReturnType<typeof begin>>;
const putPart = async (begun: Begun, PartNumber: number, Body: Buffer) => {
  const { ETag } = await client.send(new UploadPartCommand({ ...begun, PartNumber, Body }));
  return { PartNumber, ETag };
};
const complete = (begun: Begun, Parts: object[], more: object = {}) =>
  client.send(new CompleteMultipartUploadCommand({ ...begun, MultipartUpload: { Parts }, ...more }));
const read = async (named: Named) => {
  const answer = await client.send(new GetObjectCommand(named));
  return { ...answer, content: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
};
const md5 = (content: Buffer) => createHash('md5').update(content).digest();

describe('an upload in parts', () => {
  it('becomes one object, whose ETag is made of those of its parts', async () => {
    const begun = await begin(aKey());
    const [one, two] = [randomBytes(5 * MIB), randomBytes(1_000)];
    // In the other order of time, as they come in parallel.
    const second = await putPart(begun, 7, two);
    const first = await putPart(begun, 2, one);
    expect(second.ETag).toBe(`"${md5(two).toString('hex')}"`);
    const { ETag } = await complete(begun, [first, second]);
    expect(ETag).toBe(`"${md5(Buffer.concat([md5(one), md5(two)])).toString('hex')}-2"`);
    const { content, ContentType, ETag: again } = await read(begun);
    expect(content.equals(Buffer.concat([one, two]))).toBe(true);
    expect({ ContentType, again }).toEqual({ ContentType: 'video/mp4', again: ETag });
    expect(await readdir(join(store.directory, 'uploads'))).toEqual([]);
  });

  it('is made by the upload of the AWS SDK', async () => {
    const named = aKey();
    const Body = randomBytes(12 * MIB);
    await new Upload({ client, params: { ...named, Body }, partSize: 5 * MIB, queueSize: 3 }).done();
    expect((await read(named)).content.equals(Body)).toBe(true);
  });

  it('answers the same when it is completed twice, one after the other or at a time', async () => {
    const begun = await begin(aKey());
    const part = await putPart(begun, 1, randomBytes(5 * MIB));
    const [one, two] = await Promise.all([complete(begun, [part]), complete(begun, [part])]);
    const three = await complete(begun, [part]);
    expect([two.ETag, three.ETag]).toEqual([one.ETag, one.ETag]);
  });

  it('takes the later of two parts of one number', async () => {
    const begun = await begin(aKey());
    const first = await putPart(begun, 1, Buffer.from('first'));
    const second = await putPart(begun, 1, Buffer.from('second'));
    expect(await outcome(complete(begun, [first]))).toBe('InvalidPart');
    await complete(begun, [second]);
    expect((await read(begun)).content.toString()).toBe('second');
  });

  it('is no object until it is completed', async () => {
    const begun = await begin(aKey());
    await putPart(begun, 1, Buffer.from('x'));
    expect(await outcome(read(begun))).toBe('NoSuchKey');
  });

  it.each([
    ['a part that is not there', (etag: string) => [{ PartNumber: 3, ETag: etag }], 'InvalidPart'],
    ['another ETag', () => [{ PartNumber: 1, ETag: '"00000000000000000000000000000000"' }], 'InvalidPart'],
    [
      'parts in another order',
      (etag: string) => [
        { PartNumber: 2, ETag: etag },
        { PartNumber: 1, ETag: etag },
      ],
      'InvalidPartOrder',
    ],
    [
      'a small part that is not the last',
      (etag: string) => [
        { PartNumber: 1, ETag: etag },
        { PartNumber: 2, ETag: etag },
      ],
      'EntityTooSmall',
    ],
    ['no part', () => [], 'MalformedXML'],
  ])('is not completed with %s', async (_what, parts, code) => {
    const begun = await begin(aKey());
    const { ETag = '' } = await putPart(begun, 1, Buffer.from('x'));
    await putPart(begun, 2, Buffer.from('x'));
    expect(await outcome(complete(begun, parts(ETag)))).toBe(code);
    expect((await client.send(new ListPartsCommand(begun))).Parts).toHaveLength(2);
  });

  it('is not completed when it is larger than an object may be', async () => {
    const begun = await begin(aKey());
    const body = randomBytes(7 * MIB);
    const parts = [await putPart(begun, 1, body), await putPart(begun, 2, body), await putPart(begun, 3, body)];
    expect(await outcome(complete(begun, parts))).toBe('EntityTooLarge');
    await client.send(new AbortMultipartUploadCommand(begun));
  });

  it('takes no part that is too large, or whose number is out of bounds', async () => {
    const begun = await begin(aKey());
    expect(await outcome(putPart(begun, 1, randomBytes(8 * MIB + 1)))).toBe('EntityTooLarge');
    expect(await outcome(putPart(begun, 10_001, Buffer.from('x')))).toBe('InvalidArgument');
    expect(await outcome(putPart(begun, 0, Buffer.from('x')))).toBe('InvalidArgument');
  });

  it('does not replace an object when there was to be none', async () => {
    const named = aKey();
    const begun = await begin(named);
    const part = await putPart(begun, 1, Buffer.from('x'));
    await client.send(new PutObjectCommand({ ...named, Body: 'earlier' }));
    expect(await outcome(complete(begun, [part], { IfNoneMatch: '*' }))).toBe('PreconditionFailed');
    expect((await read(named)).content.toString()).toBe('earlier');
  });

  it('leaves nothing when it is aborted', async () => {
    const begun = await begin(aKey());
    await putPart(begun, 1, Buffer.from('x'));
    await client.send(new AbortMultipartUploadCommand(begun));
    expect(await readdir(join(store.directory, 'uploads'))).not.toContain(begun.UploadId);
    expect(await outcome(putPart(begun, 2, Buffer.from('x')))).toBe('NoSuchUpload');
    expect(await outcome(complete(begun, [{ PartNumber: 1, ETag: '"x"' }]))).toBe('NoSuchUpload');
    expect(await outcome(client.send(new AbortMultipartUploadCommand(begun)))).toBe('NoSuchUpload');
  });

  it('shows its parts page by page, and itself among the others', async () => {
    const begun = await begin(aKey());
    for (const number of [3, 1, 2]) await putPart(begun, number, Buffer.alloc(number));
    const first = await client.send(new ListPartsCommand({ ...begun, MaxParts: 2 }));
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    const rest = await client.send(new ListPartsCommand({ ...begun, PartNumberMarker: first.NextPartNumberMarker }));
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: begun.Key }));
    expect(Uploads?.map(({ Key, UploadId }) => ({ Key, UploadId }))).toContainEqual({
      Key: begun.Key,
      UploadId: begun.UploadId,
    });
  });

  it('goes on after a restart', async () => {
    const begun = await begin(aKey());
    const part = await putPart(begun, 1, Buffer.from('kept'));
    const again = await startStore({ directory: store.directory, clock: { nowMs: () => nowMs } });
    const finish = new CompleteMultipartUploadCommand({ ...begun, MultipartUpload: { Parts: [part] } });
    await again.client().send(finish);
    expect(again.store.find(BUCKET, begun.Key)?.sizeBytes).toBe(4);
    await again.stop();
  });

  it('is cleared away after a day', async () => {
    const fresh = await startStore({ clock: { nowMs: () => nowMs } });
    const begun = { Bucket: BUCKET, Key: 'old' };
    await fresh.client().send(new CreateMultipartUploadCommand(begun));
    nowMs += 23 * 3_600_000;
    expect(await fresh.uploads.sweep()).toBe(0);
    nowMs += 2 * 3_600_000;
    expect(await fresh.uploads.sweep()).toBe(1);
    expect(await readdir(join(fresh.directory, 'uploads'))).toEqual([]);
    nowMs = Date.now();
    await fresh.stop();
  });

  it('is one of a thousand at most', async () => {
    const fresh = await startStore();
    const create = (_: unknown, n: number) => fresh.uploads.create({ bucket: BUCKET, key: `${n}`, contentType: '' });
    await Promise.all(Array.from({ length: 1_000 }, create));
    const more = new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'more' });
    expect(await outcome(fresh.client().send(more))).toBe('SlowDown');
    await fresh.stop();
  }, 60_000);

  it('takes no copies', async () => {
    const begun = await begin(aKey());
    const copy = new UploadPartCopyCommand({ ...begun, PartNumber: 1, CopySource: `${BUCKET}/x` });
    expect(await outcome(client.send(copy))).toBe('NotImplemented');
  });
});

describe('a batch of deletes', () => {
  const put = async (names: string[]) => {
    for (const Key of names) await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
  };

  it('deletes each key, those with strange names too, and says so unless it is to be quiet', async () => {
    await put(['batch/a', 'batch/<&>"é', 'batch/c']);
    const Objects = [{ Key: 'batch/a' }, { Key: 'batch/<&>"é' }, { Key: 'batch/missing' }];
    const loud = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect(loud.Deleted?.map(({ Key }) => Key)).toEqual(Objects.map(({ Key }) => Key));
    const Delete = { Objects: [{ Key: 'batch/c' }], Quiet: true };
    const quiet = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }));
    expect(quiet.Deleted ?? []).toEqual([]);
    expect(store.store.list(BUCKET, 'batch/', '', 10)).toEqual([]);
  });

  it('refuses what it cannot do for one key, and deletes the others', async () => {
    await put(['batch/a', 'batch/b']);
    const Objects = [{ Key: 'batch/a', VersionId: '1' }, { Key: 'batch/../b' }, { Key: 'batch/b' }];
    const answer = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect(answer.Errors?.map(({ Code }) => Code)).toEqual(['NotImplemented', 'InvalidArgument']);
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['batch/b']);
    expect(store.store.find(BUCKET, 'batch/a')).not.toBeNull();
  });
});
