import { BULK_FLEET_STREAM } from '@aerie/bus-contract';
import { jest } from '@jest/globals';
import { connectNats } from '@aerie/messaging';
import { type Logger, Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, freePort, startPrivateMosquitto, startPrivateNats } from '@aerie/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import mqtt from 'mqtt';
import { BrokerWatch } from './broker-watch.js';
import { RunningIngress } from '../fixtures/running-ingress.js';

jest.setTimeout(120_000);

const ALARM = 'the broker dropped messages';
const METRIC = 'ingress_broker_dropped_messages';
const SENT = 60;
const PADDING = 'x'.repeat(50 * 1_024);

let nats: PrivateServer;
let broker: PrivateServer;
const ingresses: RunningIngress[] = [];

beforeAll(async () => {
  nats = await startPrivateNats();
  // A fiftieth of what the ingress has in a real broker, so that it is full at once; and a broker that says so each second.
  broker = await startPrivateMosquitto(['max_queued_bytes 1048576', 'sys_interval 1']);
});
afterAll(async () => {
  await Promise.all(ingresses.map((ingress) => ingress.stop('SIGKILL')));
  await broker?.remove();
  await nats?.remove();
});

async function start(): Promise<RunningIngress> {
  const env = { INGRESS_CONTROL_CONNECTIONS: '1' };
  const ingress = RunningIngress.start({
    natsUrl: nats.url,
    mqttUrl: broker.url,
    id: 'one',
    port: await freePort(),
    env,
  });
  ingresses.push(ingress);
  await eventually('the ingress is ready', () => ingress.isReady(), 50_000);
  await eventually('it knows what the broker dropped', async () => !Number.isNaN(await ingress.counted(METRIC)));
  return ingress;
}

async function publish(sn: string): Promise<void> {
  const dock = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  for (let index = 0; index < SENT; index++) {
    const event = { tid: `tid-${index}`, bid: 'b', timestamp: 1, gateway: sn, method: 'some_event', data: { PADDING } };
    await dock.publishAsync(`thing/product/${sn}/events`, JSON.stringify(event), { qos: 1 });
  }
  await dock.endAsync();
}

async function storedOf(sn: string): Promise<number> {
  const connection = await connectNats(nats.url, 'watch-spec', createLogger('test', 'silent'));
  const { streams } = await jetstreamManager(connection);
  // No service asks for this method.
  const { state } = await streams.info(BULK_FLEET_STREAM.name, { subjects_filter: '>' });
  await connection.close();
  return Object.entries(state.subjects ?? {}).reduce(
    (sum, [subject, count]) => sum + (subject.includes(sn) ? count : 0),
    0,
  );
}

it('what the broker throws away while the ingress is gone, and acknowledges to the dock, is an alarm when it is back', async () => {
  const first = await start();
  expect([await first.counted(METRIC), first.logged(ALARM)]).toEqual([0, []]);
  await first.stop('SIGKILL');
  await publish('GONE-1');

  const second = await start();
  await eventually('the alarm is in its log', () => second.logged(ALARM).length > 0);
  const dropped = await second.counted(METRIC);
  expect(dropped).toBeGreaterThan(0);
  // Each message is either stored or counted.
  await eventually('the rest is stored', async () => (await storedOf('GONE-1')) === SENT - dropped);
  const [line = '{}'] = second.logged(ALARM);
  expect(JSON.parse(line)).toMatchObject({ level: 'error', dropped, sinceItStarted: dropped });

  // Nothing more is lost, and nothing more is said.
  await publish('HERE-1');
  await eventually('all of them are stored', async () => (await storedOf('HERE-1')) === SENT);
  expect([await second.counted(METRIC), second.logged(ALARM).length]).toEqual([dropped, 1]);
});

it.each([
  ['does not say', 'sys_interval 0', 1],
  ['says', 'sys_interval 1', 0],
])('a broker that %s how many messages it drops (%s): warnings', async (_how, setting, warnings) => {
  const other = await startPrivateMosquitto([setting]);
  const said: string[] = [];
  const note = (_facts: object, text: string): void => void said.push(text);
  const logger = { warn: note, error: note, info: () => undefined, debug: () => undefined } as unknown as Logger;
  const login = { broker: other.url, username: 'ingress', password: 'irrelevant', keepaliveSeconds: 5 };
  const metrics = new Metrics('spec');
  const watch = new BrokerWatch({ login, ingressId: 'spec', logger, metrics, silentAfterMs: 3_000 });
  watch.start();
  try {
    const told = async (): Promise<boolean> =>
      said.length > 0 ||
      (await metrics.registry.metrics()).split('\n').some((line) => line.startsWith(METRIC) && line.endsWith(' 0'));
    await eventually('it is known either way', told, 30_000);
    expect(said).toHaveLength(warnings);
    if (warnings > 0) expect(said[0]).toContain('watch its own metrics');
  } finally {
    await watch.stop();
    await other.remove();
  }
});
