import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type PrivateStorage, startPrivateStorage } from '@aerie/testing';

const SIZE_BYTES = 2 * 1024 ** 3;
const MOST_MEGABYTES = 200;
const PIECE = Buffer.alloc(1024 * 1024, 7);

let storage: PrivateStorage;
let client: S3Client;
beforeAll(async () => {
  storage = await startPrivateStorage();
  const { url, region, accessKeyId, secretAccessKey } = storage;
  client = new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}, 30_000);
afterAll(async () => {
  client.destroy();
  await storage.remove();
});

/** The most memory that the store has had since it started. */
function peakMegabytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${storage.pid()}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

function* pieces(): Generator<Buffer> {
  for (let sent = 0; sent < SIZE_BYTES; sent += PIECE.length) yield PIECE;
}

async function upload(Key: string): Promise<number> {
  const command = new PutObjectCommand({ Bucket: storage.bucket, Key });
  const url = await getSignedUrl(client, command, { expiresIn: 900 });
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'PUT', headers: { 'content-length': SIZE_BYTES } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    pipeline(Readable.from(pieces()), sent).catch(reject);
  });
}

async function download(Key: string): Promise<number> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: storage.bucket, Key }));
  let bytes = 0;
  for await (const piece of Body as Readable) bytes += (piece as Buffer).length;
  return bytes;
}

it('takes 2 GB and gives 2 GB at the same time in less than 200 MB of memory', async () => {
  expect(await upload('first')).toBe(200);
  const [status, bytes] = await Promise.all([upload('second'), download('first')]);
  expect([status, bytes]).toEqual([200, SIZE_BYTES]);
  const head = await client.send(new HeadObjectCommand({ Bucket: storage.bucket, Key: 'second' }));
  expect(head.ContentLength).toBe(SIZE_BYTES);
  expect(peakMegabytes()).toBeGreaterThan(20);
  expect(peakMegabytes()).toBeLessThan(MOST_MEGABYTES);
}, 240_000);
