import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type SendAsk, sendQuestion } from '@aerie/bus-contract';
import { Peer, Secret } from '@aerie/kernel';
import { ask, connectNats } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import {
  type Authority,
  type PrivateServer,
  eventually,
  freePort,
  makeAuthority,
  startPrivateMosquitto,
  startPrivateNats,
} from '@aerie/testing';
import { type LosingWay, startLosingWay } from './fixtures/losing-way.js';
import { RunningIngress } from './fixtures/running-ingress.js';

describe('an ingress that gets its certificates, users and passwords as files', () => {
  let authority: Authority;
  let stranger: Authority;
  let nats: PrivateServer;
  let broker: PrivateServer;
  let way: LosingWay | undefined;
  let files: Readonly<Record<string, string>>;
  const started: RunningIngress[] = [];

  const portOf = (server: PrivateServer): string => new URL(server.url).port;
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<RunningIngress> => {
    const ingress = RunningIngress.start({
      natsUrl: `tls://127.0.0.1:${portOf(nats)}`,
      mqttUrl: `mqtts://127.0.0.1:${portOf(broker)}`,
      id: 'files',
      port: await freePort(),
      env: { ...files, MQTT_USER: '', MQTT_PASSWORD: '', ...more },
    });
    started.push(ingress);
    return ingress;
  };

  beforeAll(async () => {
    authority = await makeAuthority();
    stranger = await makeAuthority('another authority');
    const server = await authority.issue();
    const own = await authority.issue('mqtt-ingress');
    const tls = `cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${authority.ca}", verify: true`;
    nats = await startPrivateNats([`tls { ${tls} }`, 'authorization { user: aerie, password: hunter2 }']);
    const listener = [`certfile ${server.cert}`, `keyfile ${server.key}`, `cafile ${authority.ca}`];
    broker = await startPrivateMosquitto([...listener, 'require_certificate true']);
    files = {
      NATS_CA_FILE: authority.ca,
      NATS_CERT_FILE: own.cert,
      NATS_KEY_FILE: own.key,
      NATS_USER_FILE: authority.write('nats-user', 'aerie\n'),
      NATS_PASSWORD_FILE: authority.write('nats-password', 'hunter2\n'),
      MQTT_CA_FILE: authority.ca,
      MQTT_CERT_FILE: own.cert,
      MQTT_KEY_FILE: own.key,
      MQTT_USER_FILE: authority.write('mqtt-user', 'ingress\n'),
      MQTT_PASSWORD_FILE: authority.write('mqtt-password', 'hunter3\n'),
    };
  });
  afterAll(async () => {
    way?.stop();
    await Promise.all(started.map((ingress) => ingress.stop('SIGKILL')));
    await nats?.remove();
    await broker?.remove();
    authority?.remove();
    stranger?.remove();
  });

  it('is ready, over TLS on both sides', async () => {
    const ingress = await start();
    await eventually('the ingress is ready', () => ingress.isReady(), 50_000);
    await expect(ingress.stop('SIGTERM')).resolves.toBe(0);
    expect(ingress.logged('hunter')).toEqual([]);
  });

  it('throws away a connection of TLS with what lies in it, too', async () => {
    way = await startLosingWay(Number(portOf(broker)));
    const ingress = await start({ MQTT_URL: `mqtts://127.0.0.1:${way.port}` });
    await eventually('the ingress is ready', () => ingress.isReady(), 50_000);
    const command: SendAsk = {
      ...{ sn: 'TLS-1', channel: 'services', method: 'flighttask_execute', tid: 'tid-1', bid: 'bid-1', data: {} },
      ...{ sentAtMs: Date.now(), notAfterMs: Date.now() + 4_500 },
    };
    way.lose();
    const [ca, cert, key] = ['NATS_CA_FILE', 'NATS_CERT_FILE', 'NATS_KEY_FILE'].map((name) =>
      readFileSync(files[name] ?? '', 'utf8'),
    );
    const peer = new Peer(`tls://aerie:hunter2@127.0.0.1:${portOf(nats)}`, { ca, cert, key: new Secret(key ?? '') });
    const connection = await connectNats(peer, 'peers-spec', createLogger('peers-spec', 'silent'));
    const answer = await ask(connection, sendQuestion, command).finally(() => connection.close());
    expect(answer).toEqual({ outcome: 'unknown', reason: 'the connection was lost' });
    // The others end in the ordinary way.
    await eventually('a connection was reset', () => way?.ends.some(({ how }) => how === 'reset'));
  });

  it('ends with the setting in its log when another authority has signed the certificate of NATS', async () => {
    const ingress = await start({ NATS_CA_FILE: stranger.ca });
    await eventually('it ends', () => !ingress.running, 50_000);
    await expect(ingress.stop('SIGTERM')).resolves.toBe(1);
    expect(ingress.logged('NATS_CA_FILE does not hold the authority')).not.toEqual([]);
    expect(ingress.logged('hunter')).toEqual([]);
  });

  it('ends with the setting in its log when another authority has signed the certificate of the broker', async () => {
    const ingress = await start({ MQTT_CA_FILE: stranger.ca });
    await eventually('it ends', () => !ingress.running, 50_000);
    await expect(ingress.stop('SIGTERM')).resolves.toBe(1);
    expect(ingress.logged('the MQTT broker, MQTT_CA_FILE: does not hold the authority')).not.toEqual([]);
  });

  it('has its commands read the same files', () => {
    const command = fileURLToPath(new URL('./narrow-topology.js', import.meta.url));
    const env = { ...process.env, ...files, NATS_URL: `tls://127.0.0.1:${portOf(nats)}` };
    expect(spawnSync(process.execPath, [command], { env, encoding: 'utf8', timeout: 60_000 }).status).toBe(0);
    const wrong = spawnSync(process.execPath, [command], {
      ...{ env: { ...env, NATS_CERT_FILE: '/nowhere/tls.crt' }, encoding: 'utf8', timeout: 60_000 },
    });
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('NATS_CERT_FILE: cannot be used: /nowhere/tls.crt');
  });
});
