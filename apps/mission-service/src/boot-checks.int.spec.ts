import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type PrivateServer,
  eventually,
  freePort,
  startPrivateNats,
  startPrivateValkey,
  testEnvironment,
} from '@aerie/testing';
import type { MigratedDatabase } from '@aerie/persistence/testing';
import { Client } from 'pg';
import { missionTestDatabase } from './missions/fixtures/mission-database.js';

describe('mission-service at its start', () => {
  let database: MigratedDatabase;
  let nats: PrivateServer;
  let valkey: PrivateServer;
  let child: ChildProcess | undefined;
  let log = '';

  beforeAll(async () => {
    database = await missionTestDatabase(0);
    nats = await startPrivateNats([], { jetstream: false });
    valkey = await startPrivateValkey(['maxmemory-policy allkeys-lru']);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(`ALTER DATABASE "${new URL(database.url).pathname.slice(1)}" SET synchronous_commit = off`);
    await client.end();
  });
  afterEach(() => void child?.kill('SIGKILL'));
  afterAll(async () => {
    await nats?.remove();
    await valkey?.remove();
    await database?.drop();
  });

  const start = async (env: Readonly<Record<string, string>>): Promise<ChildProcess> => {
    log = '';
    const started = spawn(process.execPath, [fileURLToPath(new URL('./main.js', import.meta.url))], {
      env: {
        ...process.env,
        ...{ MISSION_HTTP_PORT: String(await freePort()), MISSION_GRPC_PORT: String(await freePort()) },
        ...{ ...database.settings, REDIS_URL: valkey.url, NATS_URL: nats.url, S3_ENDPOINT: 'http://127.0.0.1:1' },
        ...{ S3_BUCKET: 'spec', S3_ACCESS_KEY_ID: 'spec', S3_SECRET_ACCESS_KEY: 'spec' },
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr]) stream?.on('data', (piece) => (log += String(piece)));
    return started;
  };

  it('does not start on servers that would break a promise, and names each with what to change', async () => {
    const [code] = (await once(await start({}), 'exit')) as [number];
    expect(code).toBe(1);
    const line = log.split('\n').find((text) => text.includes('servers have settings that break what is promised'));
    expect(line).toMatch(/PostgreSQL, synchronous_commit: is off/);
    expect(line).toMatch(/Redis, maxmemory-policy: is allkeys-lru/);
    expect(line).toMatch(/NATS, jetstream: is not enabled/);
  });

  it('waits for a server that is away, says since when, and does not end', async () => {
    const started = await start({ NATS_URL: 'nats://127.0.0.1:1', REDIS_URL: testEnvironment().redisUrl });
    const waits = (): boolean => /"since":"\d{4}-.*failed to reach NATS, trying again/.test(log);
    await eventually('it says since when it waits', waits, 30_000);
    expect(started.exitCode).toBeNull();
  });
});
