import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  S3Client,
  type S3ClientConfig,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';

const need = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set; \`npm run test:storage\` sets it`);
  return value;
};

/** The storage under test. */
export const SERVER = {
  name: need('AERIE_STORAGE_NAME'),
  endpoint: need('AERIE_STORAGE_ENDPOINT'),
  region: need('AERIE_STORAGE_REGION'),
  bucket: need('AERIE_STORAGE_BUCKET'),
  roleArn: need('AERIE_STORAGE_ROLE_ARN'),
  /** AWS gives no session that is shorter than 900 s; a server that can be set lower lets us see one end. */
  shortestSessionSeconds: Number(process.env['AERIE_STORAGE_SHORTEST_SESSION_SECONDS'] ?? 900),
} as const;

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The keys that may do everything. */
export const OWNER: Keys = {
  accessKeyId: need('AERIE_STORAGE_ACCESS_KEY_ID'),
  secretAccessKey: need('AERIE_STORAGE_SECRET_ACCESS_KEY'),
};

const clients: { destroy(): void }[] = [];

// Open connections would keep the process of the tests from ending.
afterAll(() => clients.forEach((client) => client.destroy()));

function closedLater<Client extends { destroy(): void }>(client: Client): Client {
  clients.push(client);
  return client;
}

/** One attempt each: what is refused has to be seen, not tried again. */
export const s3 = (credentials: Keys = OWNER, config: S3ClientConfig = {}): S3Client =>
  closedLater(
    new S3Client({
      endpoint: SERVER.endpoint,
      region: SERVER.region,
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
      ...config,
    }),
  );

export const sts = (credentials: Keys = OWNER): STSClient =>
  closedLater(new STSClient({ endpoint: SERVER.endpoint, region: SERVER.region, credentials, maxAttempts: 1 }));

export interface Session extends Required<Keys> {
  readonly expiresAt: Date;
}

export interface SessionWish {
  readonly policy?: string;
  readonly durationSeconds?: number;
  readonly roleArn?: string;
  readonly by?: Keys;
}

/** A session of the role; without a policy of its own it may do what the role may. */
export async function assumeRole(wish: SessionWish = {}): Promise<Session> {
  const { policy, durationSeconds = 900, roleArn = SERVER.roleArn, by } = wish;
  const { Credentials } = await sts(by).send(
    new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: 'dock-1',
      DurationSeconds: durationSeconds,
      ...(policy === undefined ? {} : { Policy: policy }),
    }),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) throw new Error('the session is not complete');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiresAt: Expiration,
  };
}

/** What a dock may do with its own logs, and nothing else: as the platform writes it for every upload. */
export const uploadPolicy = (prefix: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        Resource: [`arn:aws:s3:::${SERVER.bucket}/${prefix}*`],
      },
    ],
  });

/** Each file of tests works below a prefix of its own: files run side by side in one bucket. */
export const newPrefix = (): string => `org/${randomUUID()}/`;

/** The bucket; made where the server lets it be made, and there already where it does not. */
export async function openBucket(): Promise<void> {
  const Bucket = SERVER.bucket;
  await s3()
    .send(new CreateBucketCommand({ Bucket }))
    .catch(() => undefined);
  await s3().send(new HeadBucketCommand({ Bucket }));
}

/** All keys that begin so, seen by the owner. */
export async function keysBelow(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3() }, { Bucket: SERVER.bucket, Prefix: prefix })) {
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
  }
  return keys;
}
