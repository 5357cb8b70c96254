import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Secret } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import { ConfiguredCredentials } from './s3/credentials.js';
import { S3Server } from './s3/s3-server.js';
import { SignatureCheck } from './s3/signature.js';
import { DiskStore } from './storage/disk-store.js';

export const ACCESS_KEY_ID = 'AKTESTKEY';
export const SECRET = 'a-secret-for-tests-only';
export const BUCKET = 'test-bucket';

export interface RunningStore {
  readonly url: string;
  readonly directory: string;
  readonly store: DiskStore;
  client(config?: S3ClientConfig): S3Client;
  stop(): Promise<void>;
}

/** The real server on a free port, over a directory of its own. */
export async function startStore(): Promise<RunningStore> {
  const directory = await mkdtemp(join(tmpdir(), 'aerie-object-store-'));
  const store = await DiskStore.open(directory, [BUCKET, 'other-bucket']);
  const lookup = new ConfiguredCredentials({ accessKeyId: ACCESS_KEY_ID, secretAccessKey: new Secret(SECRET) });
  const signatures = new SignatureCheck(lookup, 'us-east-1', { nowMs: () => Date.now() });
  const logger = createLogger('object-store', 'silent');
  const s3 = new S3Server({ store, signatures, logger, observe: () => undefined });
  const server: Server = createServer((request, response) => void s3.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: S3Client[] = [];
  return {
    url,
    directory,
    store,
    client(config = {}) {
      const client = new S3Client({
        endpoint: url,
        region: 'us-east-1',
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
      await rm(directory, { recursive: true, force: true });
    },
  };
}
