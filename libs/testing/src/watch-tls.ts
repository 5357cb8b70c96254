import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { type SecureVersion, createServer } from 'node:tls';
import type { Authority, IssuedFiles } from './certificates.js';

/** A server of TLS that notes what clients say to it once they trust it, and answers nothing. */
export interface TlsWatcher {
  readonly port: number;
  /** How many connections began. */
  readonly connections: () => number;
  /** Everything that clients have said inside of TLS. */
  readonly received: () => string;
  readonly close: () => Promise<void>;
}

export async function watchTls({ cert, key }: IssuedFiles, highest: SecureVersion = 'TLSv1.3'): Promise<TlsWatcher> {
  let [connections, received] = [0, ''];
  const server = createServer(
    {
      ...{ cert: readFileSync(cert), key: readFileSync(key) },
      ...{ minVersion: 'TLSv1', maxVersion: highest, ciphers: 'ALL:@SECLEVEL=0' },
    },
    (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
    },
  );
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** What no client that verifies may speak to, at 127.0.0.1: each with who shows it, and up to which version. */
export const WRONG_SERVERS: readonly (readonly [
  what: string,
  shown: (authority: Authority) => Promise<IssuedFiles>,
  highest: SecureVersion,
])[] = [
  ['shows a certificate that has expired', (authority) => authority.issue('127.0.0.1', -1), 'TLSv1.3'],
  ['shows a certificate that nobody else has signed', (authority) => authority.selfSigned(), 'TLSv1.3'],
  ['shows a certificate for another host', (authority) => authority.issue('broker.example.org'), 'TLSv1.3'],
  ['speaks TLS 1.1 and nothing newer', (authority) => authority.issue(), 'TLSv1.1'],
];
