import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type RequestListener, type Server, createServer, get } from 'node:http';
import { createServer as createSecureServer, get as getSecurely } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@aerie/observability';
import { type Authority, type IssuedFiles, makeAuthority } from '@aerie/testing';
import { allowOrigins } from './allow-origins.js';
import { loadConfig } from './config.js';
import { nameRequest } from './name-request.js';
import { createProxy } from './proxy.js';
import { stayWithTls } from './stay-with-tls.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(listener: RequestListener, shown?: IssuedFiles): Promise<string> {
  const server =
    shown === undefined
      ? createServer(listener)
      : createSecureServer({ cert: readFileSync(shown.cert), key: readFileSync(shown.key) }, listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http${shown === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const CONSOLE = 'https://console.example.com';

/** The edge before a service that answers 200; what came to the service is in `received`. */
async function anEdge(origins: readonly string[] = []) {
  const received: IncomingMessage[] = [];
  const service = await listen((request, response) => {
    received.push(request);
    response.setHeader('ETag', '"7"').end('well');
  });
  const proxy = createProxy({ '/api/v1/docks': service }, createLogger('test', 'silent'));
  const cors = allowOrigins(origins);
  const url = await listen((request, response) =>
    nameRequest(request, response, () => cors(request, response, () => proxy(request, response))),
  );
  return { url: `${url}/api/v1/docks`, elsewhere: `${url}/api/v1/nothing`, received };
}

const preflight = (url: string, origin: string): Promise<Response> =>
  fetch(url, {
    method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'if-match' },
  });
const allowed = (response: Response): string | null => response.headers.get('Access-Control-Allow-Origin');

describe('the id of a request', () => {
  it('goes on to the service and comes back in the answer', async () => {
    const { url, received } = await anEdge();
    const response = await fetch(url, { headers: { 'X-Request-Id': 'console:7' } });
    expect([response.headers.get('X-Request-Id'), received[0]?.headers['x-request-id']]).toEqual([
      ...['console:7', 'console:7'],
    ]);
  });

  it.each([undefined, 'two words', 'x'.repeat(129)])('is made where the caller has sent %j', async (id) => {
    const { url, received } = await anEdge();
    const response = await fetch(url, { headers: id === undefined ? {} : { 'X-Request-Id': id } });
    expect(response.headers.get('X-Request-Id')).toMatch(/^[\da-f-]{36}$/);
    expect(received[0]?.headers['x-request-id']).toBe(response.headers.get('X-Request-Id'));
  });

  it('is in an answer of the edge itself', async () => {
    const { elsewhere } = await anEdge();
    const response = await fetch(elsewhere, { headers: { 'X-Request-Id': 'console:8' } });
    expect([response.status, response.headers.get('X-Request-Id')]).toEqual([404, 'console:8']);
  });
});

describe('a page of another origin', () => {
  it('may call the API when its origin is configured, and read the headers of the answer', async () => {
    const { url, received } = await anEdge([CONSOLE]);
    const asked = await preflight(url, CONSOLE);
    expect([asked.status, allowed(asked), asked.headers.get('Access-Control-Allow-Credentials')]).toEqual([
      ...[204, CONSOLE, null],
    ]);
    expect(asked.headers.get('Access-Control-Allow-Methods')).toContain('PATCH');
    expect(asked.headers.get('Access-Control-Allow-Headers')).toContain('If-Match');
    expect(received).toEqual([]);
    const answered = await fetch(url, { headers: { Origin: CONSOLE } });
    expect([answered.status, allowed(answered)]).toEqual([200, CONSOLE]);
    expect(answered.headers.get('Access-Control-Expose-Headers')).toContain('ETag');
  });

  it('may read problems too', async () => {
    const { elsewhere } = await anEdge([CONSOLE]);
    const answered = await fetch(elsewhere, { headers: { Origin: CONSOLE } });
    expect([answered.status, allowed(answered)]).toEqual([404, CONSOLE]);
  });

  it.each([
    ['where another origin is configured', [CONSOLE]],
    ['where none is, which is the default', loadConfig(anEnvironment()).EDGE_CORS_ORIGINS],
  ])('may not call the API %s', async (_what, origins) => {
    const { url } = await anEdge(origins);
    const other = 'https://console.example.com.evil.example';
    expect(allowed(await preflight(url, other))).toBeNull();
    expect(allowed(await fetch(url, { headers: { Origin: other } }))).toBeNull();
  });

  it('leaves a plain OPTIONS to the service, which knows its methods', async () => {
    const { url, received } = await anEdge([CONSOLE]);
    await fetch(url, { method: 'OPTIONS', headers: { Origin: CONSOLE } });
    expect(received.map(({ method }) => method)).toEqual(['OPTIONS']);
  });
});

describe('the setting of origins', () => {
  const originsOf = (text: string) => loadConfig({ ...anEnvironment(), EDGE_CORS_ORIGINS: text }).EDGE_CORS_ORIGINS;

  it('takes several', () => {
    expect(originsOf(`${CONSOLE}, http://localhost:5173`)).toEqual([CONSOLE, 'http://localhost:5173']);
  });

  it.each(['*', 'console.example.com', `${CONSOLE}/`, `${CONSOLE}/app`])(
    'refuses %s, which no browser sends',
    (text) => {
      expect(() => originsOf(text)).toThrow(/EDGE_CORS_ORIGINS/);
    },
  );
});

describe('an edge with a certificate', () => {
  let authority: Authority;
  let files: IssuedFiles;
  beforeAll(async () => {
    authority = await makeAuthority();
    files = await authority.issue();
  });
  afterAll(() => authority.remove());

  const answerAt = (url: string): Promise<IncomingMessage> =>
    new Promise(
      (resolve, reject) =>
        void (url.startsWith('https:') ? getSecurely : get)(url, { ca: authority.caPem }, resolve).once(
          'error',
          reject,
        ),
    );

  it('tells who comes over TLS to come over nothing else, and nobody who comes without', async () => {
    const edge: RequestListener = (request, response) => stayWithTls(request, response, () => response.end());
    const [secure, plain] = [await listen(edge, files), await listen(edge)];
    expect((await answerAt(secure)).headers['strict-transport-security']).toBe('max-age=31536000');
    expect((await answerAt(plain)).headers['strict-transport-security']).toBeUndefined();
  });

  it('asks services over TLS that show a certificate of its authorities, and no others', async () => {
    const stranger = await makeAuthority('another authority');
    const [ours, theirs] = [files, await stranger.issue()].map((shown) =>
      listen((request, response) => void response.end(request.url), shown),
    );
    const routes = { '/api/v1/docks': (await ours) ?? '', '/api/v1/missions': (await theirs) ?? '' };
    const edge = await listen(createProxy(routes, createLogger('test', 'silent'), { authorities: [authority.caPem] }));
    stranger.remove();
    const statusOf = (path: string, host: string): Promise<number | undefined> =>
      new Promise(
        (resolve, reject) =>
          void get(`${edge}/api/v1/${path}`, { headers: { host } }, ({ statusCode }) => resolve(statusCode)).once(
            'error',
            reject,
          ),
      );
    // The name that a caller uses is not the name of the service.
    for (const host of ['127.0.0.1', 'aerie.example.com']) {
      expect([await statusOf('docks', host), await statusOf('missions', host)]).toEqual([200, 503]);
    }
  });

  it('has a plain port for callers of its machine only beside TLS', () => {
    const plain = { ...anEnvironment(), EDGE_LOOPBACK_PORT: '8080' };
    expect(() => loadConfig(plain)).toThrow('EDGE_LOOPBACK_PORT: is for a listener beside TLS');
    const { cert, key } = files;
    expect(loadConfig({ ...plain, LISTEN_CERT_FILE: cert, LISTEN_KEY_FILE: key }).EDGE_LOOPBACK_PORT).toBe(8080);
  });

  it('refuses authorities that no service would be asked with', () => {
    expect(() => loadConfig({ ...anEnvironment(), EDGE_CA_FILE: authority.ca })).toThrow(
      'EDGE_CA_FILE: would not be used',
    );
  });
});

function anEnvironment(): NodeJS.ProcessEnv {
  const url = 'http://127.0.0.1:1';
  return {
    EDGE_HTTP_PORT: '0',
    ...{ EDGE_MISSION_URL: url, EDGE_FLEET_URL: url, EDGE_LOG_URL: url, EDGE_CREDENTIAL_URL: url },
  };
}
