import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Outbound } from '@aerie/outbound';
import { GuardedFetch } from './guarded-fetch.js';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
const limits = { wholeMs: 300, mostBytes: 10_000 };
const inTheHouse = new GuardedFetch(new Outbound(true).agents(), true, limits);
const amongStrangers = new GuardedFetch(new Outbound(false).agents(), false, limits);

it('returns responses of the provider, also 4xx', async () => {
  const url = await serve((_request, response) => response.writeHead(400).end('{"error":"invalid_grant"}'));
  const answer = await inTheHouse.fetch(url);
  expect([answer.status, await answer.json()]).toEqual([400, { error: 'invalid_grant' }]);
});

it.each<[string, RequestListener, string]>([
  ['without any data', () => undefined, 'does not answer'],
  ['that is slow and endless', (_request, response) => void trickle(response), 'does not answer'],
  ['that is too large', (_request, response) => response.end('x'.repeat(20_000)), 'more than'],
  ['that redirects', (_request, response) => response.writeHead(302, { Location: '/' }).end(), 'redirects'],
  ['with status 502', (_request, response) => response.writeHead(502).end(), '502'],
])('refuses a response %s [N51]', async (_what, listener, words) => {
  const url = await serve(listener);
  await expect(inTheHouse.fetch(url)).rejects.toMatchObject({ code: 'provider_unavailable' });
  await expect(inTheHouse.fetch(url)).rejects.toThrow(words);
});

function trickle(response: Parameters<RequestListener>[1]): void {
  const timer = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(timer));
}

it.each([
  'https://10.1.2.3/',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://localhost/',
  'https://169.254.169.254/',
])('does not connect to %s unless private networks are allowed [N51]', async (url) => {
  await expect(amongStrangers.fetch(url)).rejects.toMatchObject({
    ...{ code: 'provider_unavailable', cause: { code: 'EADDRREFUSED' } },
  });
});

it('requires TLS, except on loopback if that is allowed', async () => {
  const url = await serve((_request, response) => response.end('{}'));
  expect((await inTheHouse.fetch(url)).status).toBe(200);
  await expect(amongStrangers.fetch(url)).rejects.toThrow('https://');
  for (const other of ['http://10.1.2.3/', 'http://127.0.0.1.example.com/', 'file:///etc/passwd', 'gopher://x/']) {
    await expect(inTheHouse.fetch(other)).rejects.toThrow('https://');
  }
});
