import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { freePort, listening } from '@aerie/loopback';
import { startCeph } from '../infrastructure/ceph/ceph.js';
import { Problem } from '../infrastructure/problem.js';
import { LocalProcess, endLeftOvers } from '../infrastructure/processes.js';

const REGION = 'us-east-1';
const BUCKET = 'conformance';
const ROLE_ARN = 'arn:aws:iam:::role/uploader';
const START_WITHIN_MS = 30_000;

const SERVERS = { 'object-store': startObjectStore, ceph: startCephStorage } as const;
type ServerName = keyof typeof SERVERS;
const SERVER_NAMES = Object.keys(SERVERS) as ServerName[];

/** A running storage, and the environment that tells tools/storage-conformance how to reach it. */
export interface StorageUnderTest {
  readonly env: Readonly<Record<`AERIE_STORAGE_${string}`, string>>;
  stop(): Promise<void>;
}

/** One list of what a storage must hold, on our own object-store and on a real Ceph; arguments choose one of them. */
export async function testStorage(root: string, args: readonly string[]): Promise<number> {
  const chosen = SERVER_NAMES.filter((name) => args.includes(name));
  const jestArgs = args.filter((arg) => !SERVER_NAMES.some((name) => name === arg));
  const failed: string[] = [];
  for (const name of chosen.length > 0 ? chosen : SERVER_NAMES) {
    console.log(`\nStorage conformance: ${name} …`);
    const directory = path.join(root, '.aerie', `storage-${name}`);
    await endLeftOvers(directory);
    rmSync(directory, { recursive: true, force: true });
    const server = await SERVERS[name](root, directory);
    try {
      if (!runList(root, jestArgs, server)) failed.push(name);
    } finally {
      await server.stop();
    }
  }
  if (failed.length > 0) console.error(`\nNot conformant: ${failed.join(', ')}.`);
  return failed.length === 0 ? 0 : 1;
}

function runList(root: string, args: readonly string[], { env }: StorageUnderTest): boolean {
  const { status } = spawnSync(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--selectProjects=storage'],
      ...['--maxWorkers=2', '--passWithNoTests=false', '--verbose'],
      ...args.flatMap((arg) => (arg.startsWith('-') ? [arg] : ['--testPathPatterns', arg])),
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, AERIE_ROOT: root, ...env } },
  );
  return status === 0;
}

/** Our own object-store as a process of its own, with a fresh folder and fresh keys. */
export async function startObjectStore(root: string, directory: string): Promise<StorageUnderTest> {
  const port = await freePort();
  const keys = { accessKeyId: `AK${hex(9)}`, secretAccessKey: hex(20) };
  const everythingInS3 = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
  const process_ = LocalProcess.start(directory, 'object-store', {
    program: process.execPath,
    args: [path.join(root, 'apps/object-store/dist/main.js')],
    env: {
      ...process.env,
      OBJECT_STORE_PORT: String(port),
      OBJECT_STORE_DIRECTORY: path.join(directory, 'objects'),
      OBJECT_STORE_ACCESS_KEY_ID: keys.accessKeyId,
      OBJECT_STORE_SECRET_ACCESS_KEY: keys.secretAccessKey,
      OBJECT_STORE_REGION: REGION,
      OBJECT_STORE_BUCKETS: BUCKET,
      OBJECT_STORE_ROLES: JSON.stringify([{ arn: ROLE_ARN, policy: everythingInS3, maxDurationSeconds: 43_200 }]),
    },
  });
  if (!(await listening(port, START_WITHIN_MS, () => process_.running))) {
    await process_.stop();
    throw new Problem(`object-store did not start:\n${process_.lastLines()}`);
  }
  return {
    env: storageEnv('object-store', { endpoint: `http://127.0.0.1:${port}`, ...keys, roleArn: ROLE_ARN }),
    stop: () => process_.stop(),
  };
}

async function startCephStorage(root: string, directory: string): Promise<StorageUnderTest> {
  const ceph = await startCeph(directory, path.join(root, '.aerie', 'bin', 'ceph'), console.log);
  return {
    env: {
      ...storageEnv('ceph', ceph),
      AERIE_STORAGE_SHORTEST_SESSION_SECONDS: String(ceph.shortestSessionSeconds),
    },
    stop: () => ceph.stop(),
  };
}

function storageEnv(
  name: ServerName,
  server: Readonly<Record<'endpoint' | 'accessKeyId' | 'secretAccessKey' | 'roleArn', string>>,
): StorageUnderTest['env'] {
  return {
    AERIE_STORAGE_NAME: name,
    AERIE_STORAGE_ENDPOINT: server.endpoint,
    AERIE_STORAGE_ACCESS_KEY_ID: server.accessKeyId,
    AERIE_STORAGE_SECRET_ACCESS_KEY: server.secretAccessKey,
    AERIE_STORAGE_ROLE_ARN: server.roleArn,
    AERIE_STORAGE_REGION: REGION,
    AERIE_STORAGE_BUCKET: BUCKET,
  };
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex').toUpperCase();
