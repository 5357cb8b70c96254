import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { expectThereAndBack } from './logs-there-and-back.js';
import { World } from './world.js';

// All of Aerie on the storage under test: our own object-store in `npm test`, a real Ceph in `npm run test:storage`.

const setting = (name: string): string => {
  const value = process.env[`AERIE_STORAGE_${name}`];
  if (value === undefined) throw new Error(`AERIE_STORAGE_${name} is not set: run this by npm run test:storage.`);
  return value;
};

let world: World;
beforeAll(async () => {
  const storage = {
    S3_ENDPOINT: setting('ENDPOINT'),
    S3_REGION: setting('REGION'),
    S3_BUCKET: setting('BUCKET'),
    S3_ACCESS_KEY_ID: setting('ACCESS_KEY_ID'),
    S3_SECRET_ACCESS_KEY: setting('SECRET_ACCESS_KEY'),
    STS_ROLE_ARN: setting('ROLE_ARN'),
  };
  const { STS_ROLE_ARN, ...s3 } = storage;
  await makeBucket(s3);
  world = await World.start({
    // A role of Ceph allows an hour, unless it was made for more.
    'credential-service': { ...s3, STS_ROLE_ARN, STS_LIFETIME_SECONDS: '3600' },
    'mission-service': s3,
    // Making and sending 60 MB on a busy machine is not silence.
    'log-service': { LOG_SILENCE_MS: '30000' },
  });
}, 180_000);
afterAll(() => world?.stop(), 60_000);

it(`uploads logs to ${process.env['AERIE_STORAGE_NAME'] ?? 'a storage'}, verifies them, and gives back the same bytes`, async () => {
  await expectThereAndBack(world);
}, 180_000);

/** It may be there: the other tests of this storage use it, too. */
async function makeBucket(s3: Readonly<Record<`S3_${string}`, string>>): Promise<void> {
  const { S3_ENDPOINT = '', S3_REGION = '', S3_BUCKET, S3_ACCESS_KEY_ID = '', S3_SECRET_ACCESS_KEY = '' } = s3;
  const credentials = { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY };
  const client = new S3Client({ endpoint: S3_ENDPOINT, region: S3_REGION, forcePathStyle: true, credentials });
  try {
    await client.send(new HeadBucketCommand({ Bucket: S3_BUCKET }));
  } catch {
    await client.send(new CreateBucketCommand({ Bucket: S3_BUCKET })).catch((error: unknown) => {
      if ((error as { readonly name?: string }).name !== 'BucketAlreadyOwnedByYou') throw error;
    });
  }
  client.destroy();
}
