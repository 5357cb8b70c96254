import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { DENIED, NO_UPLOAD, refused } from './refusals.js';
import { SERVER, assumeRole, keysBelow, newPrefix, openBucket, s3, uploadPolicy } from './server.js';

const root = newPrefix();
const Bucket = SERVER.bucket;
/** The least that a part may have, if it is not the last one. */
const PART_BYTES = 5 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
const content = Buffer.concat([randomBytes(PART_BYTES), randomBytes(PART_BYTES), randomBytes(12_345)]);
const partOf = (number: number): Buffer => content.subarray((number - 1) * PART_BYTES, number * PART_BYTES);
const owner = s3();
let dock = owner;

beforeAll(async () => {
  await openBucket();
  dock = s3(await assumeRole({ policy: uploadPolicy(`${root}mine/`) }));
}, TIMEOUT_MS);

async function create(name: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
  const Key = root + name;
  const { UploadId = '' } = await dock.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  return { Bucket, Key, UploadId };
}

const sendPart = async (
  upload: { Bucket: string; Key: string; UploadId: string },
  PartNumber: number,
  Body: Buffer = partOf(PartNumber),
) => {
  const { ETag } = await dock.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
  return { PartNumber, ETag };
};

/** For parts that are refused: while it still sends a long one, a client may see the connection end before the answer. */
const SHORT = Buffer.from('short');

const read = async (name: string): Promise<Buffer> => {
  const { Body } = await owner.send(new GetObjectCommand({ Bucket, Key: root + name }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

it(
  'takes a large file in parts, from the owner',
  async () => {
    await new Upload({ client: owner, params: { Bucket, Key: `${root}owned`, Body: content } }).done();
    expect((await read('owned')).equals(content)).toBe(true);
  },
  TIMEOUT_MS,
);

it(
  'takes a large file in parts, by the token of a session',
  async () => {
    await new Upload({ client: dock, params: { Bucket, Key: `${root}mine/large`, Body: content } }).done();
    expect((await read('mine/large')).equals(content)).toBe(true);
  },
  TIMEOUT_MS,
);

it(
  'puts parts together by their numbers, whenever they came, and lets a part come twice',
  async () => {
    const upload = await create('mine/parts');
    const third = await sendPart(upload, 3);
    const first = await sendPart(upload, 1);
    await sendPart(upload, 2);
    const second = await sendPart(upload, 2);
    const { Parts } = await dock.send(new ListPartsCommand(upload));
    expect(Parts?.map(({ PartNumber, Size, ETag }) => [PartNumber, Size, ETag])).toEqual([
      [1, PART_BYTES, first.ETag],
      [2, PART_BYTES, second.ETag],
      [3, 12_345, third.ETag],
    ]);
    expect(await keysBelow(upload.Key)).toEqual([]);
    await dock.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [first, second, third] } }),
    );
    expect((await read('mine/parts')).equals(content)).toBe(true);
    const { ETag } = await owner.send(new HeadObjectCommand({ Bucket, Key: upload.Key }));
    expect(ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
  },
  TIMEOUT_MS,
);

it(
  'forgets an upload that is aborted',
  async () => {
    const upload = await create('mine/aborted');
    await sendPart(upload, 1);
    await dock.send(new AbortMultipartUploadCommand(upload));
    await refused(dock.send(new ListPartsCommand(upload)), NO_UPLOAD);
    await refused(sendPart(upload, 2, SHORT), NO_UPLOAD);
    expect(await keysBelow(upload.Key)).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'makes no object of parts that it does not have, or that have another content',
  async () => {
    const upload = await create('mine/missing');
    const first = await sendPart(upload, 1);
    const complete = (Parts: { PartNumber: number; ETag: string | undefined }[]) =>
      dock.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    await refused(complete([first, { PartNumber: 2, ETag: first.ETag }]), ['InvalidPart']);
    await refused(complete([{ PartNumber: 1, ETag: `"${'0'.repeat(32)}"` }]), ['InvalidPart']);
    expect(await keysBelow(upload.Key)).toEqual([]);
    await dock.send(new AbortMultipartUploadCommand(upload));
  },
  TIMEOUT_MS,
);

it(
  'makes no object of parts that are too small to stand before others',
  async () => {
    const upload = await create('mine/small');
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const { ETag } = await dock.send(new UploadPartCommand({ ...upload, PartNumber, Body: 'small' }));
      Parts.push({ PartNumber, ETag });
    }
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    await refused(dock.send(complete), ['EntityTooSmall']);
    expect(await keysBelow(upload.Key)).toEqual([]);
    await dock.send(new AbortMultipartUploadCommand(upload));
  },
  TIMEOUT_MS,
);

it(
  'lets a session begin, go on with, look at, end and abort no upload outside of its prefix',
  async () => {
    await refused(create('yours/large'), DENIED);
    const Key = `${root}yours/large`;
    const { UploadId = '' } = await owner.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const upload = { Bucket, Key, UploadId };
    const { ETag } = await owner.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'x' }));
    const end = { ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    await refused(sendPart(upload, 2, SHORT), DENIED);
    await refused(dock.send(new ListPartsCommand(upload)), DENIED);
    await refused(dock.send(new CompleteMultipartUploadCommand(end)), DENIED);
    await refused(dock.send(new AbortMultipartUploadCommand(upload)), DENIED);
    // Nor under a key of its own with the upload of another.
    await refused(sendPart({ ...upload, Key: `${root}mine/stolen` }, 2, SHORT), NO_UPLOAD);
    expect(await keysBelow(`${root}yours/`)).toEqual([]);
    await owner.send(new CompleteMultipartUploadCommand(end));
    expect((await read('yours/large')).toString()).toBe('x');
  },
  TIMEOUT_MS,
);
