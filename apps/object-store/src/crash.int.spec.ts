import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { eventually, freePort } from '@aerie/testing';
import { outcome, rootCredentials } from './a-role.fixture.js';
import { ACCESS_KEY_ID, BUCKET, SECRET } from './running-store.fixture.js';

const MIB = 1024 ** 2;
const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));

/** Starting a program takes a while on a busy machine. */
const LIMIT_MS = 90_000;

let directory: string;
let port: number;
let client: S3Client;
let program: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aerie-object-store-crash-'));
  port = await freePort();
  client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: rootCredentials,
    maxAttempts: 1,
  });
  await start();
}, LIMIT_MS);
afterEach(async () => {
  client.destroy();
  await kill();
  await rm(directory, { recursive: true, force: true });
}, LIMIT_MS);

async function start(): Promise<void> {
  program = spawn(process.execPath, [PROGRAM], {
    stdio: 'ignore',
    env: {
      ...process.env,
      OBJECT_STORE_PORT: String(port),
      OBJECT_STORE_DIRECTORY: directory,
      OBJECT_STORE_ACCESS_KEY_ID: ACCESS_KEY_ID,
      OBJECT_STORE_SECRET_ACCESS_KEY: SECRET,
      OBJECT_STORE_BUCKETS: BUCKET,
    },
  });
  await eventually(
    'the store is ready',
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      return answer?.status === 200;
    },
    LIMIT_MS / 2,
  );
}

async function kill(): Promise<void> {
  const killed = program;
  if (killed === undefined) return;
  program = undefined;
  const ended = new Promise((resolve) => killed.once('exit', resolve));
  killed.kill('SIGKILL');
  await ended;
}

/** How much of what is being stored lies on disk. */
async function bytesUnderWay(): Promise<number> {
  const names = await readdir(join(directory, 'incoming'));
  const sizes = names.map((name) =>
    stat(join(directory, 'incoming', name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

const read = async (Key: string): Promise<Buffer> => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

describe('a store that is killed', () => {
  it(
    'in the middle of a PUT keeps the object that was there, and nothing of the other',
    async () => {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'earlier' }));
      const endless = new Readable({ read: () => undefined });
      endless.push(randomBytes(3 * MIB));
      const put = new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: endless, ContentLength: 10 * MIB });
      const putting = outcome(client.send(put));
      await eventually('the object is under way', async () => (await bytesUnderWay()) > 2 * MIB, LIMIT_MS / 2);
      await kill();
      endless.destroy();
      expect(await putting).not.toBe('done');
      await start();
      expect((await read('a')).toString()).toBe('earlier');
      expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    },
    LIMIT_MS,
  );

  it.each([1, 20, 60])(
    'in the middle of completing an upload (%i MiB written) has no object or the whole one, and completes it then',
    async (mib) => {
      const named = { Bucket: BUCKET, Key: 'big' };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(named));
      const body = randomBytes(10 * MIB);
      const Parts: object[] = [];
      for (let PartNumber = 1; PartNumber <= 8; PartNumber++) {
        const part = new UploadPartCommand({ ...named, UploadId, PartNumber, Body: body });
        Parts.push({ PartNumber, ETag: (await client.send(part)).ETag });
      }
      const finish = () =>
        client.send(new CompleteMultipartUploadCommand({ ...named, UploadId, MultipartUpload: { Parts } }));
      const finishing = outcome(finish());
      let isOver = false;
      void finishing.then(() => (isOver = true));
      while (!isOver && (await bytesUnderWay()) < mib * MIB) await new Promise((resolve) => setImmediate(resolve));
      await kill();
      await finishing;
      const names = await readdir(join(directory, 'buckets', BUCKET));
      for (const name of names) {
        const file = await readFile(join(directory, 'buckets', BUCKET, name));
        expect(file.length).toBeGreaterThan(80 * MIB);
      }
      await start();
      const { ETag } = await finish();
      expect(ETag).toMatch(/-8"$/);
      const whole = createHash('sha256');
      for (let n = 0; n < 8; n++) whole.update(body);
      const stored = createHash('sha256').update(await read('big'));
      expect(stored.digest('hex')).toBe(whole.digest('hex'));
      expect((await finish()).ETag).toBe(ETag);
      expect(await readdir(join(directory, 'uploads'))).toEqual([]);
    },
    LIMIT_MS,
  );
});
