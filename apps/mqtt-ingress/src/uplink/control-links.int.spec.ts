import { type DockFact } from '@aerie/bus-contract';
import { Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateMosquitto } from '@aerie/testing';
import mqtt, { type MqttClient } from 'mqtt';
import { BrokerTap } from '../fixtures/broker-tap.js';
import { ControlLinks } from './control-links.js';
import { DockBudget } from './dock-budget.js';
import { ReceiveUplink } from './receive-uplink.js';
import type { StoreGate } from './store-gate.js';
import { StoreTogether } from './store-together.js';

const logger = createLogger('control-links-spec', 'silent');
/** Nothing is stored after this time in a test: it has to be hurried. */
const WAITS_MS = 600_000;
const GENEROUS = { messagesPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 };
const noNotes = { note: () => undefined };

let broker: PrivateServer;
let tap: BrokerTap;
let dock: MqttClient;
let links: ControlLinks;
let gate: Gate;
/** What is done before a message is stored; it may wait, or fail. */
let beforeStore: (sn: string, tid: string) => Promise<void>;
/** Messages in the order in which they were stored. */
let stored: { readonly sn: string; readonly tid: string }[];

/** Open again a moment after it was closed, as that of a JetStream which was away for a moment. */
class Gate {
  isOpen = true;
  closed = 0;
  private readonly listeners: (() => void)[] = [];
  onClose(listener: () => void): void {
    this.listeners.push(listener);
  }
  stored(): void {
    // Nothing was wrong.
  }
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closed++;
    for (const listener of this.listeners) listener();
    setTimeout(() => (this.isOpen = true), 50);
  }
}

beforeEach(async () => {
  broker = await startPrivateMosquitto();
  tap = await BrokerTap.open(broker.url);
  dock = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  stored = [];
  beforeStore = async () => undefined;
  gate = new Gate();
  const metrics = new Metrics('control-links');
  const store = async (_subject: string, body: string): Promise<void> => {
    const { sn, tid } = JSON.parse(body) as DockFact;
    await beforeStore(sn, tid ?? '');
    stored.push({ sn, tid: tid ?? '' });
  };
  const together = new StoreTogether(store, WAITS_MS);
  links = new ControlLinks({
    login: { broker: tap.url, username: 'ingress', password: 'irrelevant', keepaliveSeconds: 5 },
    ingressId: 'one',
    connections: 1,
    receive: new ReceiveUplink(
      (...args) => together.store(...args),
      () => undefined,
      noNotes,
      logger,
      metrics,
    ),
    hurry: () => together.hurry(),
    budget: new DockBudget(GENEROUS, noNotes, noNotes, metrics),
    gate: gate as unknown as StoreGate,
    logger,
  });
  links.start();
  await eventually('it is connected', () => links.connected === 1);
});
afterEach(async () => {
  beforeStore = async () => undefined;
  await links.stop();
  await dock.endAsync(true);
  tap.close();
  await broker.remove();
});

const publish = (sn: string, tid: string, method = 'some_event', data: object = {}): Promise<unknown> =>
  dock.publishAsync(
    `thing/product/${sn}/events`,
    JSON.stringify({ tid, bid: 'b', timestamp: 1, gateway: sn, method, data }),
    { qos: 1 },
  );
/** It waits for company. */
const publishReport = (sn: string, tid: string): Promise<unknown> =>
  publish(sn, tid, 'flighttask_progress', { result: 0, output: { status: 'in_progress' } });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);
const tidsOf = (wanted: string): string[] => stored.flatMap(({ sn, tid }) => (sn === wanted ? [tid] : []));

/** Has the store of messages wait until it is told. */
function hold(isHeld: (sn: string, tid: string) => boolean): () => void {
  const waiting: (() => void)[] = [];
  let isOver = false;
  beforeStore = (sn, tid) =>
    isOver || !isHeld(sn, tid) ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve));
  return () => {
    isOver = true;
    for (const goOn of waiting.splice(0)) goOn();
  };
}

it('a dock whose message hangs holds up its own, and no other dock is stored later for it', async () => {
  const release = hold((sn) => sn === 'HANGS');
  await publish('HANGS', '0');
  await publish('HANGS', '1');
  await Promise.all(numbered(20).map((tid) => publish('OTHER', tid)));
  await eventually('the other dock is stored', () => tidsOf('OTHER').length === 20);
  expect(tidsOf('OTHER')).toEqual(numbered(20));
  // [MQTT-4.6.0-2] PUBACKs leave in the order of their messages, and the first one is not stored yet.
  expect([tidsOf('HANGS'), tap.acknowledged]).toEqual([[], 0]);
  release();
  await eventually('all have their PUBACK', () => tap.acknowledged === 22);
  expect(tidsOf('HANGS')).toEqual(['0', '1']);
});

it('no PUBACK leaves before its message and all before it are stored', async () => {
  const docks = ['A', 'B', 'C'];
  beforeStore = async () => new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
  let isWrong = false;
  const looking = setInterval(() => (isWrong ||= tap.acknowledged > stored.length), 1);
  await Promise.all(numbered(60).flatMap((tid) => docks.map((sn) => publish(sn, tid))));
  await eventually('all have their PUBACK', () => tap.acknowledged === 180);
  clearInterval(looking);
  expect([isWrong, stored.length]).toEqual([false, 180]);
  for (const sn of docks) expect(tidsOf(sn)).toEqual(numbered(60));
});

it('keeps the order of each dock when a store in the middle fails, and loses nothing', async () => {
  const docks = ['A', 'B', 'C'];
  const failing = new Set(['A 10', 'B 25', 'A 40']);
  beforeStore = async (sn, tid) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    if (failing.delete(`${sn} ${tid}`)) throw new Error('JetStream does not answer');
  };
  await Promise.all(numbered(60).flatMap((tid) => docks.map((sn) => publish(sn, tid))));
  await eventually('all are stored', () => docks.every((sn) => new Set(tidsOf(sn)).size === 60));
  expect(gate.closed).toBe(3);
  // What had no PUBACK comes again, so some are there twice; nothing is there before what came before it.
  for (const sn of docks) expect([...new Set(tidsOf(sn))]).toEqual(numbered(60));
});

it('has a bounded number of messages in work, whatever the broker has', async () => {
  const release = hold(() => true);
  const asked = new Set<string>();
  const held = beforeStore;
  beforeStore = (sn, tid) => {
    asked.add(sn);
    return held(sn, tid);
  };
  await Promise.all(numbered(90).map((number) => publish(`DOCK-${number}`, 'tid')));
  await eventually('the broker has given out more', () => tap.delivered > 40);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(asked.size).toBe(32);
  release();
  await eventually('all have their PUBACK', () => tap.acknowledged === 90);
});

it('a report that waits for company is stored as soon as its dock says something else, before it', async () => {
  await publishReport('A', '0');
  await publish('A', '1');
  await eventually('both have their PUBACK', () => tap.acknowledged === 2);
  expect(tidsOf('A')).toEqual(['0', '1']);
});

it('reports that wait for company are stored before they fill the connection', async () => {
  for (let dock_ = 0; dock_ < 33; dock_++) await publishReport(`DOCK-${dock_}`, 'tid');
  await publish('LAST', 'tid');
  await eventually('all have their PUBACK', () => tap.acknowledged === 34);
});
