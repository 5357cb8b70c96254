import { type PrivateServer, eventually, freePort, startPrivateMosquitto, startPrivateNats } from '@aerie/testing';
import { RunningIngress } from '../fixtures/running-ingress.js';
import { examineBroker } from './examine-broker.js';

describe('the settings of the broker', () => {
  const servers: PrivateServer[] = [];
  let ingress: RunningIngress | undefined;
  afterEach(async () => {
    await ingress?.stop('SIGKILL');
    await Promise.all(servers.splice(0).map((server) => server.remove()));
  });
  const start = async (settings: readonly string[]): Promise<string> => {
    const broker = await startPrivateMosquitto(settings);
    servers.push(broker);
    return broker.url;
  };
  const told = async (broker: string): Promise<string[]> => {
    const login = { broker, username: 'ingress', password: 'irrelevant', keepaliveSeconds: 5 };
    const findings = await examineBroker(login, 'spec', 3_600);
    return findings.map(({ field, isError }) => `${isError ? 'error' : 'warning'}: ${field}`);
  };

  it('are as they should be', async () => {
    await expect(told(await start([]))).resolves.toEqual([]);
  });

  it('are read from what it grants', async () => {
    const url = await start([
      'max_qos 0',
      'max_packet_size 10000',
      'retain_available false',
      'max_inflight_messages 5',
    ]);
    const findings = await told(url);
    expect(findings).toEqual(expect.arrayContaining(['error: maximum QoS', 'error: maximum packet size']));
    expect(findings).toEqual(expect.arrayContaining(['warning: retain', 'warning: receive maximum']));
  });

  it('keep an ingress from starting, together with those of NATS, and are told at once', async () => {
    const url = await start(['max_packet_size 10000']);
    const nats = await startPrivateNats([], { jetstream: false });
    servers.push(nats);
    ingress = RunningIngress.start({ natsUrl: nats.url, mqttUrl: url, id: 'spec', port: await freePort() });
    const started = ingress;
    await eventually('it ends', () => !started.running, 50_000);
    await expect(started.stop('SIGTERM')).resolves.toBe(1);
    const [line = ''] = started.logged('servers have settings that break what is promised');
    expect(line).toContain('NATS, jetstream: is not enabled');
    expect(line).toContain('the MQTT broker, maximum packet size: is 10000 bytes');
  });
});
