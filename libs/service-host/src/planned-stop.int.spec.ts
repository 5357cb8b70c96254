import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, Metadata, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { natsOptions } from '@aerie/messaging';
import { eventually, freePort, testEnvironment } from '@aerie/testing';
import { type NatsConnection, connect } from '@nats-io/transport-node';

const FIXTURE = path.join(path.dirname(fileURLToPath(import.meta.url)), 'slow-service.fixture.js');
/** Longer than a planned stop waits. */
const FOR_EVER_MS = 60_000;

interface Replica {
  readonly child: ChildProcess;
  readonly url: string;
  readonly grpc: string;
  /** How many calls have reached a handler. */
  readonly working: () => number;
  readonly ended: Promise<unknown>;
}

const replicas: Replica[] = [];
afterEach(async () => {
  for (const { child, ended } of replicas.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});

async function startReplica(workMs: number): Promise<Replica> {
  const [http, grpc] = [await freePort(), await freePort()];
  const env = { HTTP_PORT: String(http), GRPC_PORT: String(grpc), WORK_MS: String(workMs) };
  const child = spawn(process.execPath, [FIXTURE], {
    env: { ...process.env, ...env, NATS_URL: testEnvironment().natsUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (text: Buffer) => (said += text.toString()));
  const replica: Replica = {
    child,
    url: `http://127.0.0.1:${http}`,
    grpc: `127.0.0.1:${grpc}`,
    working: () => said.split('working').length - 1,
    ended: new Promise((resolve) => child.once('exit', resolve)),
  };
  replicas.push(replica);
  await eventually('the replica is ready', async () => (await fetch(`${replica.url}/readyz`)).ok);
  return replica;
}

const stop = (replica: Replica): boolean => replica.child.kill('SIGTERM');
const inWork = (replica: Replica): Promise<boolean> => eventually('the call is in work', () => replica.working() > 0);

interface MissionClient extends Client {
  cancelMission(ask: object, done: (error: ServiceError | null, answer?: { mission: { id: string } }) => void): void;
  getMission(ask: object, done: (error: ServiceError | null, answer?: { mission: { id: string } }) => void): void;
}

function clientOf({ grpc }: Replica): MissionClient {
  const loaded = loadPackageDefinition(loadSync(MISSION_PROTO, { includeDirs: [PROTO_FOLDER] })) as unknown as {
    mission: { v1: { MissionService: new (address: string, secret: unknown) => MissionClient } };
  };
  return new loaded.mission.v1.MissionService(grpc, credentials.createInsecure());
}

describe('a planned stop', () => {
  it('of one of two replicas under a stream of questions leaves none of them unanswered', async () => {
    const [first] = [await startReplica(160), await startReplica(160)];
    const nats: NatsConnection = await connect(natsOptions(testEnvironment().natsUrl, 'planned-stop-spec'));
    const asked: Promise<{ response: unknown }>[] = [];
    const ask = (): void => {
      const packet = JSON.stringify({ pattern: 'test.slow', data: {}, id: String(asked.length) });
      asked.push(nats.request('test.slow', packet, { timeout: 5_000 }).then((message) => message.json()));
    };
    const asking = setInterval(ask, 10);
    await eventually('questions are in work', () => first.working() > 5);
    stop(first);
    await first.ended;
    clearInterval(asking);

    const answers = await Promise.all(asked);

    expect(answers.length).toBeGreaterThan(20);
    expect(answers.filter(({ response }) => !(response as { storageWasOpen?: boolean }).storageWasOpen)).toEqual([]);
    await nats.close();
  });

  it('tells the asker of a question that takes too long that it may have been done', async () => {
    const replica = await startReplica(FOR_EVER_MS);
    const nats: NatsConnection = await connect(natsOptions(testEnvironment().natsUrl, 'planned-stop-spec'));
    const answer = nats.request('test.slow', JSON.stringify({ pattern: 'test.slow', data: {}, id: '1' }), {
      timeout: 20_000,
    });
    await inWork(replica);
    stop(replica);

    expect((await answer).json()).toHaveProperty('err');
    await nats.close();
  });

  it('lets a gRPC call in work end before storage is closed', async () => {
    const replica = await startReplica(1_500);
    const client = clientOf(replica);
    const answer = new Promise((resolve) => client.cancelMission({}, (error, found) => resolve(error ?? found)));
    await inWork(replica);
    stop(replica);

    await expect(answer).resolves.toMatchObject({ mission: { id: 'true' } });
    client.close();
  });

  it.each([
    ['cancelMission', 'may have been done'],
    ['getMission', 'ask again'],
  ] as const)('answers a gRPC call of %s that does not end UNAVAILABLE, never CANCELLED', async (method, words) => {
    const replica = await startReplica(FOR_EVER_MS);
    const client = clientOf(replica);
    const error = new Promise<ServiceError | null>((resolve) => client[method]({}, resolve));
    await inWork(replica);
    stop(replica);

    expect(await error).toMatchObject({ code: status.UNAVAILABLE });
    expect((await error)?.details).toContain(words);
    client.close();
  });

  it('lets an HTTP request in work end before storage is closed, and takes no new one', async () => {
    const replica = await startReplica(1_500);
    const answer = fetch(`${replica.url}/slow`, { method: 'POST' });
    await inWork(replica);
    stop(replica);
    await eventually('nobody listens any more', () =>
      fetch(`${replica.url}/healthz`, { headers: { connection: 'close' } }).then(
        () => false,
        () => true,
      ),
    );

    expect(await (await answer).json()).toEqual({ storageWasOpen: true });
    await replica.ended;
  });

  it('answers a request that comes over a connection which was idle, as the last one on it', async () => {
    const replica = await startReplica(0);
    const socket = net.connect(Number(new URL(replica.url).port), '127.0.0.1');
    let got = '';
    socket.on('data', (bytes: Buffer) => (got += bytes.toString()));
    const answers = (): number => got.split('HTTP/1.1 200').length - 1;
    socket.write('GET /healthz HTTP/1.1\r\nHost: replica\r\n\r\n');
    await eventually('the first request is answered', () => answers() === 1);
    stop(replica);
    await eventually('nobody listens any more', () =>
      fetch(`${replica.url}/healthz`, { headers: { connection: 'close' } }).then(
        () => false,
        () => true,
      ),
    );
    socket.write('GET /healthz HTTP/1.1\r\nHost: replica\r\n\r\n');

    await eventually('the second request is answered', () => answers() === 2);
    expect(got.slice(got.lastIndexOf('HTTP/1.1 200')).toLowerCase()).toContain('connection: close');
    await replica.ended;
    socket.destroy();
  });

  it.each([
    ['POST', 'may have been done'],
    ['GET', 'ask again'],
  ] as const)('answers 503 to a %s request that does not end, and says what to do', async (method, words) => {
    const replica = await startReplica(FOR_EVER_MS);
    const answer = fetch(`${replica.url}/slow`, { method });
    await inWork(replica);
    stop(replica);

    expect((await answer).status).toBe(503);
    expect(await (await answer).json()).toMatchObject({ code: 'stopping', detail: expect.stringContaining(words) });
  });
});

describe('the metrics of a service', () => {
  it('tell of requests by route and of calls by method, and nothing of paths and methods that nobody has', async () => {
    const replica = await startReplica(0);
    for (const route of ['/slow', '/slow?x=1', '/no-such-route']) {
      await (await fetch(`${replica.url}${route}`, { headers: { connection: 'close' } })).arrayBuffer();
    }
    const client = clientOf(replica);
    await new Promise((resolve) => client.getMission({}, resolve));
    const plain = (bytes: Buffer): Buffer => bytes;
    await new Promise((resolve) =>
      client.makeUnaryRequest('/no.such/Method', plain, plain, Buffer.alloc(0), new Metadata(), resolve),
    );
    client.close();

    const counts = await eventually('all are told', async () => {
      const text = await (await fetch(`${replica.url}/metrics`)).text();
      const found = [
        ...text.matchAll(/^(?:http_request|grpc_call)_seconds_count\{service="slow-service",(.*)\} (\d+)$/gm),
      ];
      const told = found.map(([, labels, count]) => `${labels} ${count}`).sort();
      return told.length >= 3 && told;
    });
    expect(counts).toEqual([
      'method="GET",route="/slow",status="2xx" 2',
      'method="GET",route="other",status="4xx" 1',
      'method="mission.v1.MissionService/GetMission",code="OK" 1',
    ]);
  });
});
