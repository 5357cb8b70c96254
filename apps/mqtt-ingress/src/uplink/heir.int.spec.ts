import { jest } from '@jest/globals';
import { type DockFact, INGRESS_LINKS_SUBJECT, dockFact, ingressLinks } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, freePort, startPrivateMosquitto, startPrivateNats } from '@aerie/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import mqtt, { type MqttClient } from 'mqtt';
import { RunningIngress } from '../fixtures/running-ingress.js';

jest.setTimeout(90_000);

let nats: PrivateServer;
let broker: PrivateServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let dock: MqttClient;
let ingresses: RunningIngress[];

beforeEach(async () => {
  [nats, broker] = await Promise.all([startPrivateNats(), startPrivateMosquitto()]);
  connection = await connectNats(nats.url, 'heir-spec', createLogger('test', 'silent'));
  manager = await jetstreamManager(connection);
  ingresses = [];
  await Promise.all(['one', 'two', 'three'].map(start));
  // Only who was heard of is missed.
  const said = new Set<string>();
  connection.subscribe(INGRESS_LINKS_SUBJECT, {
    callback: (_error, message) => {
      const { ingressId, connected } = ingressLinks.parse(message.json());
      if (connected.length === 2) said.add(ingressId);
    },
  });
  await eventually('each has told the others of its links', () => said.size === 3);
  dock = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
});

afterEach(async () => {
  dock?.end(true);
  await Promise.all(ingresses.map((ingress) => ingress.stop('SIGKILL')));
  await connection?.close();
  await Promise.all([nats?.remove(), broker?.remove()]);
});

async function start(id: string): Promise<RunningIngress> {
  const env = { INGRESS_CONTROL_CONNECTIONS: '2' };
  const ingress = RunningIngress.start({ natsUrl: nats.url, mqttUrl: broker.url, id, port: await freePort(), env });
  ingresses.push(ingress);
  await eventually('the ingress is ready', () => ingress.isReady(), 50_000);
  return ingress;
}

const byId = (id: string): RunningIngress => {
  const ingress = ingresses.find((each) => each.logged(`aerie-ingress-${id}-0`).length > 0);
  if (ingress === undefined) throw new Error(`there is no ingress ${id}`);
  return ingress;
};

const say = (tids: readonly string[]): Promise<unknown> =>
  Promise.all(
    tids.map((tid) =>
      dock.publishAsync(
        'thing/product/DOCK-1/events',
        JSON.stringify({ tid, bid: 'b', timestamp: 1, gateway: 'DOCK-1', method: 'some_event', data: {} }),
        { qos: 1 },
      ),
    ),
  );

async function storedTids(): Promise<string[]> {
  const found: DockFact[] = [];
  for (const stream of ['DOCK', 'BULK_FLEET', 'BULK_LOG']) {
    const { state } = await manager.streams.info(stream);
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      const message = await manager.streams.getMessage(stream, { seq });
      if (message) found.push(dockFact.parse(message.json()));
    }
  }
  return found.map(({ tid }) => tid ?? '').sort();
}

const TIDS = Array.from({ length: 60 }, (_, index) => `tid-${String(index).padStart(2, '0')}`);

it('stores what the broker keeps for an ingress that is gone and does not come back', async () => {
  await byId('two').stop('SIGKILL');
  await say(TIDS);
  const others = ['one', 'three'].map(byId);
  await eventually(
    'its sessions were taken over',
    async () => (await sum(others, 'ingress_sessions_taken_over_total')) >= 2,
    40_000,
  );
  expect(await storedTids()).toEqual(TIDS);
  // Its sessions are ended: nothing is put aside for it any more.
  const more = TIDS.map((tid) => `more-${tid}`);
  await say(more);
  await eventually('what came after is stored', async () => (await storedTids()).length === 120, 5_000);
});

it('gives the sessions back to an ingress that stood still and was taken for gone', async () => {
  const frozen = byId('two');
  frozen.signal('SIGSTOP');
  await say(TIDS);
  await eventually(
    'its sessions were taken over',
    async () => (await sum(['one', 'three'].map(byId), 'ingress_sessions_taken_over_total')) >= 2,
    40_000,
  );
  frozen.signal('SIGCONT');
  await eventually('it is ready again', () => frozen.isReady(), 20_000);
  await say(['late']);
  await eventually('all is stored', async () => new Set(await storedTids()).size === TIDS.length + 1);
  // Whoever was given a message twice may store it twice; the owner of the event knows a repeat.
  expect([...new Set(await storedTids())]).toEqual(['late', ...TIDS]);
});

it('leaves the sessions of an ingress alone that was stopped in order', async () => {
  expect(await byId('two').stop('SIGTERM')).toBe(0);
  await say(TIDS);
  await eventually('all is stored', async () => (await storedTids()).length === TIDS.length);
  const stoppedMs = Date.now();
  await eventually('it would count as gone', () => Date.now() - stoppedMs > 14_000, 20_000);
  expect(await sum(['one', 'three'].map(byId), 'ingress_sessions_taken_over_total')).toBe(0);
});

const sum = async (of: readonly RunningIngress[], counter: string): Promise<number> =>
  (await Promise.all(of.map((ingress) => ingress.counted(counter)))).reduce((total, value) => total + value, 0);
