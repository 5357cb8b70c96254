import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { createLogger } from '@aerie/observability';
import { createProxy } from './proxy.js';

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
