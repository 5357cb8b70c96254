import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { type Logger, createLogger } from '@aerie/observability';
import { type ProxyLimits, createProxy } from './proxy.js';

const servers: Server[] = [];
let client: Socket | undefined;
afterEach(() => {
  client?.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A connection to an edge before a service that answers like this. */
async function aConnection(service: RequestListener): Promise<Socket> {
  const routes = { '/api/v1/waylines': `http://127.0.0.1:${await listen(service)}` };
  client = connect(await listen(createProxy(routes, createLogger('test', 'silent'))), '127.0.0.1');
  await once(client, 'connect');
  return client;
}

/** The status of the next answer; its body is empty. */
async function nextStatus(connection: Socket): Promise<number> {
  const [data] = (await once(connection, 'data')) as [Buffer];
  return Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1]);
}

it('takes the next request on a connection whose upload was refused before all of it had come', async () => {
  const half = Buffer.alloc(4 * 1024 * 1024);
  const connection = await aConnection((request, response) => {
    response.writeHead(request.method === 'POST' ? 413 : 200, { 'content-length': 0 }).end();
  });
  const head = (method: string, bytes: number): string =>
    `${method} /api/v1/waylines HTTP/1.1\r\nHost: edge\r\nContent-Length: ${bytes}\r\n\r\n`;
  connection.write(head('POST', 2 * half.length));
  connection.write(half);
  expect(await nextStatus(connection)).toBe(413);

  connection.write(half);
  connection.write(head('GET', 0));
  expect(await nextStatus(connection)).toBe(200);
});

describe('a service that hangs', () => {
  /** An edge before one service that never answers and one that does. */
  async function anEdge(limits: ProxyLimits, logger: Logger = createLogger('test', 'silent')): Promise<string> {
    const hanging = await listen(() => undefined);
    const well = await listen((_request, response) => response.end('well'));
    const routes = {
      '/api/v1/missions': `http://127.0.0.1:${hanging}`,
      '/api/v1/docks': `http://127.0.0.1:${well}`,
    };
    return `http://127.0.0.1:${await listen(createProxy(routes, logger, limits))}/api/v1`;
  }

  it('is told of by 503 before the caller is cut off', async () => {
    const edge = await anEdge({ silentMs: 300, perService: 10 });
    const response = await fetch(`${edge}/missions`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({ code: 'service_unavailable' });
  });

  it('is in the log with the path, and with the number in work once it has its share', async () => {
    const logged: unknown[] = [];
    const logger = { warn: (...line: readonly unknown[]) => logged.push(line) } as unknown as Logger;
    const edge = await anEdge({ silentMs: 300, perService: 1 }, logger);
    const statuses = await Promise.all([1, 2].map(async () => (await fetch(`${edge}/missions`)).status));
    expect(statuses).toEqual([503, 503]);
    expect(logged).toEqual([
      [expect.objectContaining({ inWork: 1 }), 'refused a request: a service has too many in work'],
      [expect.objectContaining({ path: '/api/v1/missions' }), 'failed to get an answer from a service'],
    ]);
  });

  it('takes no more than its share, and no request from another service', async () => {
    const edge = await anEdge({ silentMs: 5_000, perService: 3 });
    const hanging = Array.from({ length: 3 }, () => fetch(`${edge}/missions`));
    const statuses = async (): Promise<number> => (await fetch(`${edge}/missions`)).status;
    // The three are on their way once a fourth is refused.
    expect(await statuses()).toBe(503);
    expect(await (await fetch(`${edge}/docks`)).text()).toBe('well');
    for (const server of servers) server.closeAllConnections();
    await Promise.allSettled(hanging);
  });
});
