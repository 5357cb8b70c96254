import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Server } from '@grpc/grpc-js';
import { Secret } from '@aerie/kernel';
import { type Authority, WEAK_SUITES, makeAuthority, tryTls } from '@aerie/testing';
import { ListenCredentials } from './grpc-calls.js';
import { ServiceServer } from './http-server.js';
import type { ListenTls } from './listen-tls.js';

let authority: Authority;
let tls: ListenTls;
const ends: (() => void)[] = [];
beforeAll(async () => {
  authority = await makeAuthority();
  const { cert, key } = await authority.issue();
  tls = { cert: readFileSync(cert, 'utf8'), key: new Secret(readFileSync(key, 'utf8')) };
});
afterAll(() => authority.remove());
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function http(): Promise<number> {
  const server = new ServiceServer((_request, response) => void response.end('well'), undefined, tls);
  await server.listen(0, '127.0.0.1');
  ends.push(() => server.http.close());
  return (server.http.address() as AddressInfo).port;
}

async function grpc(): Promise<number> {
  const server = new Server();
  ends.push(() => server.forceShutdown());
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', new ListenCredentials(tls), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

describe.each([
  ['HTTP', http],
  ['gRPC', grpc],
])('a listener of %s that has a certificate', (_name, listen) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const answer = await tryTls(await listen(), { version });
    expect(answer).toEqual({ agreed: expect.stringMatching(`${version} .*(GCM|POLY1305)`) });
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async (version) => {
    const answer = await tryTls(await listen(), { version });
    expect(answer).toEqual({ refused: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  it.each(WEAK_SUITES)('refuses %s', async (suites) => {
    const answer = await tryTls(await listen(), { version: 'TLSv1.2', suites });
    expect(answer).toEqual({ refused: expect.stringContaining('HANDSHAKE_FAILURE') });
  });

  it('answers nothing to who speaks plainly', async () => {
    await expect(fetch(`http://127.0.0.1:${await listen()}/healthz`)).rejects.toThrow('fetch failed');
  });
});
