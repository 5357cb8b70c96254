import { TOPOLOGY } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, freePort, startPrivateNats } from '@aerie/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connectNats } from './connection.js';
import { examineNats } from './examine-nats.js';

const logger = createLogger('examine-spec', 'silent');
const servers: PrivateServer[] = [];
const connections: NatsConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  await Promise.all(servers.splice(0).map((server) => server.remove()));
});

const open = async (url: string, streamReplicas?: number): Promise<NatsConnection> => {
  const options = streamReplicas === undefined ? {} : { streamReplicas };
  const connection = await connectNats(url, 'examine-spec', logger, options);
  connections.push(connection);
  return connection;
};
const told = async (connection: NatsConnection): Promise<string[]> => {
  const findings = await examineNats(connection);
  return findings.map(({ field, message, isError }) => `${isError ? 'error' : 'warning'}: ${field} ${message}`);
};
const start = async (...args: Parameters<typeof startPrivateNats>): Promise<string> => {
  const server = await startPrivateNats(...args);
  servers.push(server);
  return server.url;
};

describe('the settings of NATS', () => {
  it('are as they should be on a server alone with JetStream', async () => {
    await expect(told(await open(await start()))).resolves.toEqual([]);
  });

  it('are refused without JetStream, for the server or for our account', async () => {
    await expect(told(await open(await start([], { jetstream: false })))).resolves.toEqual([
      expect.stringMatching(/^error: jetstream is not enabled: start the server with -js/),
    ]);
    const accounts = [
      'accounts { SYS { users: [{ user: sys, password: sys }] }, AERIE { users: [{ user: aerie, password: p }] } }',
      'system_account: SYS',
    ];
    const url = (await start(accounts)).replace('://', '://aerie:p@');
    await expect(told(await open(url))).resolves.toEqual([
      expect.stringMatching(/^error: jetstream is not enabled for our account/),
    ]);
  });

  it('are refused where replicas are asked of a server alone', async () => {
    await expect(told(await open(await start(), 3))).resolves.toEqual([
      expect.stringMatching(/^error: NATS_STREAM_REPLICAS is 3, and the server is no cluster/),
    ]);
  });

  it('are a warning where our account has no room for full streams', async () => {
    const account = 'AERIE { jetstream { max_file: 100M, max_mem: 10M }, users: [{ user: aerie, password: p }] }';
    const url = (await start([`accounts { ${account} }`])).replace('://', '://aerie:p@');
    const findings = await told(await open(url));
    expect(findings[0]).toMatch(/^warning: max_file_store is 9\d MiB for our account, and full streams need \d+ MiB/);
    expect(findings.slice(1)).toContainEqual(expect.stringMatching(/^warning: stream DOCK was refused by the server/));
    expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([]);
  });

  it('keep each stream and consumer on as many servers of a cluster as asked, and name each that has fewer', async () => {
    const routes: number[] = [];
    for (let server = 0; server < 3; server++) routes.push(await freePort());
    const all = routes.map((port) => `nats://127.0.0.1:${port}`).join(', ');
    const urls = await Promise.all(
      routes.map((port, index) =>
        start([
          `server_name: spec${index}`,
          `cluster { name: spec, listen: "127.0.0.1:${port}", routes: [${all}] }`,
          'jetstream { max_file_store: 20GB, max_memory_store: 100MB }',
        ]),
      ),
    );
    const [url = ''] = urls;
    const single = await open(url);
    let first: string[] = [];
    await eventually(
      'the cluster has a leader',
      async () => {
        first = await told(single).catch(() => []);
        return first.length > 0;
      },
      60_000,
    );
    expect(first).toEqual([expect.stringContaining('warning: NATS_STREAM_REPLICAS is 1, and the server is a cluster')]);

    const few = (await told(await open(url, 5))).filter((finding) => finding.startsWith('error'));
    const named = few.map((finding) => finding.split(':').slice(0, 2).join(':'));
    expect(named).toEqual(
      TOPOLOGY.streams.map(({ name }) => `error: stream ${name} has 1 replicas, and NATS_STREAM_REPLICAS wants 5`),
    );

    const three = await open(url, 3);
    await expect(told(three)).resolves.toEqual([]);
    const manager = await jetstreamManager(three);
    for (const { stream, durable } of TOPOLOGY.consumers) {
      await eventually(`${durable} is on three servers`, async () => {
        const { cluster } = await manager.consumers.info(stream, durable);
        return cluster?.replicas?.length === 2;
      });
    }
    // A program that asks for fewer takes none away.
    await told(single);
    expect((await manager.streams.info('DOCK')).config.num_replicas).toBe(3);
  }, 120_000);
});
