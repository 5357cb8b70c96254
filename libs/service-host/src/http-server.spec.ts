import { type AddressInfo, type Socket, connect } from 'node:net';
import { Metrics, createLogger, sayWhileAwaited } from '@aerie/observability';
import { healthRoutes, refuseWhileStarting } from './health.js';
import { ServiceServer } from './http-server.js';
import { Shutdown } from './shutdown.js';

const logger = createLogger('test', 'silent');

describe('a service that boots', () => {
  const servers: ServiceServer[] = [];
  const claim = async (port: number): Promise<string> => {
    const host = { logger, metrics: new Metrics('test'), shutdown: new Shutdown() };
    const health = healthRoutes(host, () => false);
    const server = new ServiceServer((request, response) =>
      health(request, response, () => refuseWhileStarting('mission-service', response)),
    );
    await server.listen(port, '127.0.0.1');
    servers.push(server);
    return `http://127.0.0.1:${(server.http.address() as AddressInfo).port}`;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(({ http }) => new Promise((resolve) => http.close(resolve))));
  });

  it('says at /readyz which process it is and what it waits for', async () => {
    const url = await claim(0);
    let arrive = (): void => undefined;
    const waiting = sayWhileAwaited('PostgreSQL', logger, () => new Promise<void>((resolve) => (arrive = resolve)));

    const answer = await fetch(`${url}/readyz`);
    arrive();
    await waiting;

    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-aerie-process')).toBe(String(process.pid));
    expect(await answer.text()).toBe('not ready: waiting for PostgreSQL\n');
  });

  it('is alive meanwhile, so that nobody restarts it for a database that is away', async () => {
    expect((await fetch(`${await claim(0)}/healthz`)).status).toBe(200);
  });

  it('tells callers of the API to try again', async () => {
    const answer = await fetch(`${await claim(0)}/api/v1/missions`);

    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({
      code: 'starting',
      detail: 'mission-service is starting; try again in 1 s',
    });
  });

  it('keeps a connection on which nothing is asked for longer than the minute of proxies, and says so', async () => {
    const answer = await fetch(`${await claim(0)}/healthz`);
    expect(answer.headers.get('keep-alive')).toBe('timeout=75');
  });

  it('refuses a port that another process listens on', async () => {
    const { port } = new URL(await claim(0));

    await expect(claim(Number(port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('a client that holds a connection and asks for nothing', () => {
  const QUICK = { headersMs: 150, requestMs: 300, silentMs: 600, checkEveryMs: 20, connections: 3 };
  let server: ServiceServer;
  let port: number;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = new ServiceServer((request, response) => {
      request.resume();
      if (request.url === '/large') response.end(Buffer.alloc(64 * 1024 * 1024));
      else request.on('end', () => response.end('done'));
    }, QUICK);
    await server.listen(0, '127.0.0.1');
    ({ port } = server.http.address() as AddressInfo);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.http.closeAllConnections();
    await new Promise((resolve) => server.http.close(resolve));
  });

  /** What is answered until the connection is closed by the server; `send` is called again and again. */
  const untilClosed = (send: (socket: Socket) => void, everyMs = 40): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      let got = '';
      const sending = setInterval(() => send(socket), everyMs);
      socket.on('data', (bytes: Buffer) => (got += bytes.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(sending);
        resolve(got);
      });
      socket.on('connect', () => send(socket));
    });
  const saying = (first: string, then: string) => {
    let said = false;
    return (socket: Socket): void => {
      socket.write(said ? then : first);
      said = true;
    };
  };

  it('is told 408 and cut off when it sends headers one by one', async () => {
    expect(await untilClosed(saying('GET / HTTP/1.1\r\nHost: a\r\n', 'X: y\r\n'))).toContain('408');
  });

  it('is told 408 and cut off when it sends a body byte by byte', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n';
    expect(await untilClosed(saying(head, 'x'))).toContain('408');
  });

  it('is cut off when it takes no more of an answer', async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => server.http.once('timeout', resolve));
  });

  it('gets no connection beyond those that a service has', async () => {
    const held = [1, 2, 3].map(() => connect(port, '127.0.0.1'));
    sockets.push(...held);
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const dropped = new Promise((resolve) => server.http.once('drop', resolve));
    sockets.push(connect(port, '127.0.0.1').on('error', () => undefined));
    await dropped;
  });
});
