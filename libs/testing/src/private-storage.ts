import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type PrivateServer, programOf, startPrivate } from './private-server.js';

export interface PrivateStorageOptions {
  /** What the role may do; default: all of S3 in the bucket. */
  readonly roleActions?: readonly string[];
  readonly clockAheadMs?: number;
  readonly region?: string;
}

/** An object-store of one test alone, with a bucket, a key that may do all and a role that can be assumed. */
export interface PrivateStorage extends PrivateServer {
  readonly bucket: string;
  readonly region: string;
  readonly roleArn: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const BUCKET = 'aerie';
const ROLE_ARN = 'arn:aws:iam::000000000000:role/dock-upload';
const LONGEST_SESSION_SECONDS = 43_200;

/** Our own S3 and STS, as a process of its own, as it was built. */
export async function startPrivateStorage(options: PrivateStorageOptions = {}): Promise<PrivateStorage> {
  const { roleActions = ['s3:*'], clockAheadMs = 0, region = 'us-east-1' } = options;
  const [accessKeyId, secretAccessKey] = [`AK${hex(8)}`, hex(20)];
  const role = {
    arn: ROLE_ARN,
    maxDurationSeconds: LONGEST_SESSION_SECONDS,
    policy: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: roleActions, Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`] },
      ],
    },
  };
  const script = path.join(programOf('AERIE_ROOT'), 'apps', 'object-store', 'dist', 'main.js');
  const server = await startPrivate({
    program: process.execPath,
    scheme: 'http',
    // As wherever it runs: docker/Dockerfile and tools/local say why.
    argumentsFor: () => ['--max-semi-space-size=4', script],
    // It listens from its first moment, and answers 503 until it has opened its folder.
    isReady: (port) =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    env: (directory, port) => ({
      OBJECT_STORE_PORT: String(port),
      OBJECT_STORE_DIRECTORY: path.join(directory, 'objects'),
      OBJECT_STORE_BUCKETS: BUCKET,
      OBJECT_STORE_ACCESS_KEY_ID: accessKeyId,
      OBJECT_STORE_SECRET_ACCESS_KEY: secretAccessKey,
      OBJECT_STORE_REGION: region,
      OBJECT_STORE_ROLES: JSON.stringify([role]),
      OBJECT_STORE_CLOCK_AHEAD_MS: String(clockAheadMs),
      OBJECT_STORE_LOG_LEVEL: 'warn',
    }),
  });
  return { ...server, bucket: BUCKET, region, roleArn: ROLE_ARN, accessKeyId, secretAccessKey };
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex').toUpperCase();
