import { readFileSync } from 'node:fs';
import { Peer, Secret } from '@aerie/kernel';
import {
  type Authority,
  type ByteWatcher,
  type PrivateServer,
  WRONG_SERVERS,
  freePort,
  makeAuthority,
  startPrivateMosquitto,
  watchBytes,
  watchTls,
} from '@aerie/testing';
import { openSession } from './session.js';

const CONNECTIONS = [
  ['of its own', false],
  ['that may be thrown away', true],
] as const;

describe.each(CONNECTIONS)('a broker with TLS, over a connection %s,', (_what, mayBeThrownAway) => {
  let authority: Authority;
  let stranger: Authority;
  let broker: PrivateServer;
  let watcher: ByteWatcher | undefined;

  const read = (file: string): string => readFileSync(file, 'utf8');
  const at = (port: string | number, host = '127.0.0.1'): string => `mqtts://${host}:${port}`;
  const port = (): string => new URL(broker.url).port;
  const open = (peer: Peer) =>
    openSession({
      login: { broker: peer, username: 'ingress', password: 'hunter2', keepaliveSeconds: 5 },
      ...{ clientId: 'session-spec', sessionExpirySeconds: 0, mayBeThrownAway },
    });
  const ownCertificate = async () => {
    const { cert, key } = await authority.issue('ingress');
    return { cert: read(cert), key: new Secret(read(key)) };
  };

  beforeAll(async () => {
    authority = await makeAuthority();
    stranger = await makeAuthority('another authority');
    const { cert, key } = await authority.issue();
    const files = [`certfile ${cert}`, `keyfile ${key}`, `cafile ${authority.ca}`];
    broker = await startPrivateMosquitto([...files, 'require_certificate true']);
  });
  afterAll(async () => {
    await broker?.remove();
    authority?.remove();
    stranger?.remove();
  });
  afterEach(async () => {
    await watcher?.close();
    watcher = undefined;
  });

  it('is reached when each side has a certificate of the authority of the other', async () => {
    const client = await open(new Peer(at(port()), { ca: authority.caPem, ...(await ownCertificate()) }));
    expect(client.connected).toBe(true);
    await client.endAsync(true);
  });

  it('is refused by the setting when another authority has signed its certificate', async () => {
    const opening = open(new Peer(at(port()), { ca: stranger.caPem, ...(await ownCertificate()) }));
    await expect(opening).rejects.toThrow('MQTT_CA_FILE does not hold the authority');
  });

  it('is refused when its certificate is for another host', async () => {
    const opening = open(new Peer(at(port(), 'localhost'), { ca: authority.caPem, ...(await ownCertificate()) }));
    await expect(opening).rejects.toThrow('MQTT_URL names the host localhost');
  });

  it('is refused by the setting when it wants a certificate of ours and we have none', async () => {
    await expect(open(new Peer(at(port()), { ca: authority.caPem }))).rejects.toThrow('MQTT_CERT_FILE is not set');
  });

  it('is told by what went wrong when it is not there', async () => {
    await expect(open(new Peer(at(await freePort())))).rejects.toThrow('ECONNREFUSED');
    await expect(open(new Peer(at(1, 'no-such-host.invalid')))).rejects.toThrow('ENOTFOUND');
  });

  it.each(WRONG_SERVERS)('is told nothing when it %s', async (_wrong, shown, highest) => {
    const wrong = await watchTls(await shown(authority), highest);
    try {
      await expect(open(new Peer(at(wrong.port), { ca: authority.caPem }))).rejects.toThrow();
      expect(wrong.connections()).toBe(1);
      expect(wrong.received()).toBe('');
    } finally {
      await wrong.close();
    }
  });

  it('gets no password when it offers no TLS, and the setting is named', async () => {
    watcher = await watchBytes({ answer: '\x20\x03\x00\x84\x00' });
    await expect(open(new Peer(at(watcher.port)))).rejects.toThrow(
      'MQTT_URL leads to a server that does not speak TLS',
    );
    expect(watcher.received()).not.toContain('hunter2');
    expect(watcher.received()).not.toContain('MQTT');
  });
});
