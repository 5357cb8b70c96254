import { Peer } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import {
  type Authority,
  type ByteWatcher,
  type PrivateServer,
  eventually,
  makeAuthority,
  startPrivateValkey,
  watchBytes,
} from '@aerie/testing';
import type { Redis } from 'ioredis';
import { redisClient, redisError } from './redis-client.js';
import { BullWakes } from './wake-queue.js';

describe('Redis with TLS', () => {
  let authority: Authority;
  let stranger: Authority;
  let valkey: PrivateServer;
  let watcher: ByteWatcher | undefined;
  const clients: Redis[] = [];

  const urlOf = (port: string | number): string => `rediss://default:hunter2@127.0.0.1:${port}`;
  const port = (): string => new URL(valkey.url).port;
  const open = (peer: Peer): { readonly client: Redis; readonly errors: string[] } => {
    const errors: string[] = [];
    const client = redisClient(peer, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', (error) => errors.push(String(redisError(error, peer))));
    clients.push(client);
    return { client, errors };
  };

  beforeAll(async () => {
    authority = await makeAuthority();
    stranger = await makeAuthority('another authority');
    const { cert, key } = await authority.issue();
    const tls = [`tls-cert-file ${cert}`, `tls-key-file ${key}`, `tls-ca-cert-file ${authority.ca}`];
    valkey = await startPrivateValkey([...tls, 'requirepass hunter2']);
  });
  afterAll(async () => {
    await valkey?.remove();
    authority?.remove();
    stranger?.remove();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await watcher?.close();
    watcher = undefined;
  });

  it('is reached when its authority has signed the certificate of the server', async () => {
    await expect(open(new Peer(urlOf(port()), { ca: authority.caPem })).client.ping()).resolves.toBe('PONG');
  });

  it('wakes whoever waits, over TLS too', async () => {
    const woken: string[] = [];
    const wakes = new BullWakes({
      redisUrl: new Peer(urlOf(port()), { ca: authority.caPem }),
      queueName: 'tls-spec',
      concurrency: 1,
      onWake: async (id) => void woken.push(id),
      logger: createLogger('tls-spec', 'silent'),
    });
    wakes.start();
    await eventually('a wake arrives', () => {
      wakes.set([{ id: 'mission', revision: Date.now(), delayMs: 0 }]);
      return woken.includes('mission');
    });
    await wakes.stop(1_000);
  });

  it.each([
    ['another authority', () => ({ ca: stranger.caPem }), 'REDIS_CA_FILE does not hold the authority'],
    ['no file', () => ({}), 'REDIS_CA_FILE is not set'],
  ])('is not reached with %s, and the setting is named', async (_name, tls, message) => {
    const { client, errors } = open(new Peer(urlOf(port()), tls()));
    void client.ping().catch(() => undefined);
    await eventually('it is refused', () => errors.some((error) => error.includes(message)));
    expect(client.status).not.toBe('ready');
  });

  it('gets no password when it offers no TLS, and the setting is named', async () => {
    watcher = await watchBytes({ answer: '-ERR unknown command\r\n' });
    const { errors } = open(new Peer(urlOf(watcher.port)));
    const said = (): boolean =>
      errors.some((error) => error.includes('REDIS_URL leads to a server that does not speak'));
    await eventually('it is refused', said);
    expect(watcher.received()).not.toMatch(/hunter2|AUTH|HELLO/i);
  });
});
