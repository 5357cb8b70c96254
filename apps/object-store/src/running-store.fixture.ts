import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Secret } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import { type StoreOptions, composeStore } from './compose.js';
import type { DiskStore } from './storage/disk-store.js';
import type { UploadStore } from './storage/upload-store.js';

export const ACCESS_KEY_ID = 'AKTESTKEY';
export const SECRET = 'a-secret-for-tests-only';
export const BUCKET = 'test-bucket';

export interface RunningStore {
  readonly url: string;
  readonly directory: string;
  readonly store: DiskStore;
  readonly uploads: UploadStore;
  client(config?: S3ClientConfig): S3Client;
  stop(): Promise<void>;
}

export type FixtureOptions = Partial<
  Pick<StoreOptions, 'directory' | 'region' | 'roles' | 'corsOrigins' | 'limits' | 'clock'>
>;

/** The real server on a free port, over a directory of its own. */
export async function startStore(options: FixtureOptions = {}): Promise<RunningStore> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'aerie-object-store-')));
  const region = options.region ?? 'us-east-1';
  const {
    server: s3,
    store,
    uploads,
  } = await composeStore({
    buckets: [BUCKET, 'other-bucket'],
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: new Secret(SECRET),
    roles: [],
    corsOrigins: [],
    limits: { maxObjectBytes: 16 * 1024 ** 3, maxPartBytes: 5 * 1024 ** 3 },
    clock: { nowMs: () => Date.now() },
    logger: createLogger('object-store', 'silent'),
    observe: () => undefined,
    ...options,
    directory,
    region,
  });
  const server: Server = createServer((request, response) => void s3.handle(request, response));
  // A busy machine is not to take a connection from a client that is about to use it.
  server.keepAliveTimeout = 60_000;
  // A test that fails before it stops its store must not keep the process.
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: S3Client[] = [];
  return {
    url,
    directory,
    store,
    uploads,
    client(config = {}) {
      const client = new S3Client({
        endpoint: url,
        region,
        forcePathStyle: true,
        credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
        maxAttempts: 1,
        ...config,
      });
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}
