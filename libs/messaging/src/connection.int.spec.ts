import { Peer, Secret } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import {
  type Authority,
  type ByteWatcher,
  type IssuedFiles,
  type PrivateServer,
  makeAuthority,
  startPrivateNats,
  watchBytes,
} from '@aerie/testing';
import { readFileSync } from 'node:fs';
import { connectNats } from './connection.js';

const logger = createLogger('connection-spec', 'silent');
const LOGIN = 'authorization { user: aerie, password: hunter2 }';
const read = (file: string): string => readFileSync(file, 'utf8');

describe('NATS with TLS', () => {
  let authority: Authority;
  let stranger: Authority;
  let server: IssuedFiles;
  let nats: PrivateServer | undefined;
  let watcher: ByteWatcher | undefined;

  const urlOf = (port: string | number, { scheme = 'tls', host = '127.0.0.1', password = 'hunter2' } = {}): string =>
    `${scheme}://aerie:${password}@${host}:${port}`;
  const startWith = async (tls: string): Promise<string> => {
    nats = await startPrivateNats([LOGIN, `tls { cert_file: "${server.cert}", key_file: "${server.key}", ${tls} }`]);
    return new URL(nats.url).port;
  };
  const connecting = (peer: Peer) => connectNats(peer, 'connection-spec', logger);

  beforeAll(async () => {
    authority = await makeAuthority();
    stranger = await makeAuthority('another authority');
    server = await authority.issue();
  });
  afterAll(() => {
    authority.remove();
    stranger.remove();
  });
  afterEach(async () => {
    await nats?.remove();
    await watcher?.close();
    [nats, watcher] = [undefined, undefined];
  });

  it('is reached when its authority has signed the certificate of the server, also by nats://', async () => {
    const port = await startWith('verify: false');
    for (const scheme of ['tls', 'nats']) {
      const connection = await connecting(new Peer(urlOf(port, { scheme }), { ca: authority.caPem }));
      expect(connection.info?.tls_required).toBe(true);
      await connection.close();
    }
  });

  it('is reached with a client certificate where it wants one, and refused by the setting without it', async () => {
    const port = await startWith(`ca_file: "${authority.ca}", verify: true`);
    const { cert, key } = await authority.issue('client');
    const ca = authority.caPem;
    const connection = await connecting(new Peer(urlOf(port), { ca, cert: read(cert), key: new Secret(read(key)) }));
    await connection.close();
    await expect(connecting(new Peer(urlOf(port), { ca }))).rejects.toThrow('NATS_CERT_FILE is not set');
  });

  it('is refused by the setting when another authority has signed the certificate', async () => {
    const port = await startWith('verify: false');
    await expect(connecting(new Peer(urlOf(port), { ca: stranger.caPem }))).rejects.toThrow(
      'NATS_CA_FILE does not hold the authority',
    );
    await expect(connecting(new Peer(urlOf(port)))).rejects.toThrow('NATS_CA_FILE is not set');
  });

  it('is refused when the certificate is for another host, be it named or an address', async () => {
    server = await authority.issue('localhost');
    const port = await startWith('verify: false');
    const ca = authority.caPem;
    await expect(connecting(new Peer(urlOf(port), { ca }))).rejects.toThrow('NATS_URL names the host 127.0.0.1');
    await (await connecting(new Peer(urlOf(port, { host: 'localhost' }), { ca }))).close();
  });

  it('is refused at once with a wrong password', async () => {
    nats = await startPrivateNats([LOGIN]);
    const url = urlOf(new URL(nats.url).port, { scheme: 'nats', password: 'wrong' });
    await expect(connecting(new Peer(url))).rejects.toThrow(/authorization/i);
  });

  it('sends no password to a server that offers no TLS, and names the setting', async () => {
    const info = { server_id: 'A', version: '2.10.0', proto: 1, max_payload: 1_048_576, headers: true };
    watcher = await watchBytes({ greeting: `INFO ${JSON.stringify(info)}\r\n` });
    await expect(connecting(new Peer(urlOf(watcher.port)))).rejects.toThrow('NATS_URL leads to a server that does not');
    const withFile = new Peer(urlOf(watcher.port, { scheme: 'nats' }), { ca: authority.caPem });
    await expect(connecting(withFile)).rejects.toThrow('NATS_URL leads to a server that does not');
    expect(watcher.connections()).toBe(2);
    expect(watcher.received()).toBe('');
  });
});
