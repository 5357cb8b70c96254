import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type DockFact, deadLetterSubject, dockFact } from '@aerie/bus-contract';
import { DeadLetters, JetStreamPublisher, type NatsConnection, connectNats, declareTopology } from '@aerie/messaging';
import { Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { type ListedLetter, type ReplayChoice, ReplayDeadLetters } from './replay.js';

const COMMAND = fileURLToPath(new URL('../replay-dead-letters.js', import.meta.url));
const RECEIVED_AT_MS = Date.UTC(2030, 0, 1);
const logger = createLogger('replay-spec', 'silent');

let nats: PrivateServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let publisher: JetStreamPublisher;
let metrics: Metrics;
let deadLetters: DeadLetters;
let sn: string;

beforeAll(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'replay-spec', logger);
  await declareTopology(connection);
  manager = await jetstreamManager(connection);
  publisher = new JetStreamPublisher(connection, 2_000);
}, 30_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
}, 30_000);
beforeEach(() => {
  sn = `RPL-${randomUUID().slice(0, 8)}`;
  metrics = new Metrics('replay-spec');
  deadLetters = new DeadLetters(publisher, metrics);
});

function aFact(channel: string, method: string | null): DockFact {
  const tid = randomUUID();
  const topic = `thing/product/${sn}/${channel}`;
  const raw = JSON.stringify({ tid, bid: tid, timestamp: RECEIVED_AT_MS, method: method ?? undefined, data: {} });
  const common = { timestampMs: RECEIVED_AT_MS, receivedAtMs: RECEIVED_AT_MS, needReply: false, gateway: null };
  return { v: 1, sn, topic, channel, method, tid, bid: tid, data: {}, raw, ...common };
}

/** A service failed at it again and again. */
async function setAside(subject: string, fact: DockFact): Promise<void> {
  const body = Buffer.from(JSON.stringify(fact));
  await deadLetters.keepDelivery({ subject, body, deliveryCount: 8 }, 'a bug that was mended');
}

async function run(more: Partial<ReplayChoice> = {}) {
  const replay = new ReplayDeadLetters(manager, (...args) => publisher.store(...args), logger);
  const letters: ListedLetter[] = [];
  const choice = { from: 'dead', sn, after: 0, limit: 100, send: false } as const;
  for await (const letter of replay.run({ ...choice, ...more })) letters.push(letter);
  return letters;
}

/** What the streams of uplinks hold of this device. */
async function stored(): Promise<{ subject: string; fact: DockFact }[]> {
  const found: { subject: string; fact: DockFact }[] = [];
  for (const stream of ['DOCK', 'BULK_FLEET', 'BULK_LOG']) {
    const { state } = await manager.streams.info(stream);
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(stream, { seq });
      if (message?.subject.includes(sn)) found.push({ subject: message.subject, fact: dockFact.parse(message.json()) });
    }
  }
  return found;
}

it('lists what was set aside with its reason, and sends nothing without being told to', async () => {
  const fact = aFact('events', 'hms');
  await setAside(`bulk.v1.fleet.${sn}.events.hms`, fact);
  expect(await run()).toEqual([expect.objectContaining({ sn, reason: 'a bug that was mended', replay: 'ready' })]);
  expect(await stored()).toEqual([]);
  expect(await run()).toHaveLength(1);
});

it('sends an uplink to the service that failed at it, as it was, once, and takes it from the list', async () => {
  const fact = aFact('events', 'hms');
  await setAside(`bulk.v1.fleet.${sn}.events.hms`, fact);
  expect(await run({ send: true })).toEqual([expect.objectContaining({ replay: 'sent' })]);
  expect(await run({ send: true })).toEqual([]);
  expect(await stored()).toEqual([{ subject: `bulk.v1.fleet.${sn}.events.hms`, fact }]);
});

it('sends what a release before set aside where this release reads it', async () => {
  await setAside(`dock.v1.fleet.${sn}.events.hms`, aFact('events', 'hms'));
  await setAside(`dock.v1.log.${sn}.events.fileupload_progress`, aFact('events', 'fileupload_progress'));
  await setAside(`dock.v1.mission.${sn}.events.return_home_info`, aFact('events', 'return_home_info'));
  await run({ send: true });
  expect((await stored()).map(({ subject }) => subject).sort()).toEqual([
    `bulk.v1.fleet.${sn}.events.hms`,
    `bulk.v1.log.${sn}.events.fileupload_progress`,
    `dock.v1.mission.${sn}.events.return_home_info`,
  ]);
});

describe('the overflow', () => {
  const fill = (kind: string, method: string, fact: DockFact) =>
    publisher.store(`overflow.v1.log.${sn}.${kind}.${method}`, JSON.stringify(fact), randomUUID());

  it('is listed apart, and sent whole to where it belongs, once', async () => {
    const fact = { ...aFact('events', 'fileupload_progress'), raw: 'x'.repeat(200_000) };
    await fill('events', 'fileupload_progress', fact);
    expect(await run()).toEqual([]);
    expect(await run({ from: 'overflow' })).toEqual([
      expect.objectContaining({ sn, topic: fact.topic, reason: 'the stream of owner log was full', replay: 'ready' }),
    ]);
    expect(await run({ from: 'overflow', send: true })).toEqual([expect.objectContaining({ replay: 'sent' })]);
    expect(await run({ from: 'overflow', send: true })).toEqual([]);
    expect(await stored()).toEqual([{ subject: `bulk.v1.log.${sn}.events.fileupload_progress`, fact }]);
  });

  it('keeps what its stream has no room for yet, and says so', async () => {
    await fill('events', 'fileupload_progress', aFact('events', 'fileupload_progress'));
    const { config } = await manager.streams.info('BULK_LOG');
    await manager.streams.update('BULK_LOG', { ...config, max_bytes: 1 });
    const letters = await run({ from: 'overflow', send: true });
    await manager.streams.update('BULK_LOG', config);
    expect(letters).toEqual([
      expect.objectContaining({ replay: 'kept', why: expect.stringContaining('its stream is full') }),
    ]);
    expect(await run({ from: 'overflow', send: true })).toEqual([expect.objectContaining({ replay: 'sent' })]);
  });

  it.each([
    ['replies', 'fileupload_list', 'never sent again'],
    ['requests', 'storage_config_get', 'asked again'],
  ])('keeps %s as evidence', async (kind, method, why) => {
    await fill(kind, method, aFact(kind === 'replies' ? 'services_reply' : 'requests', method));
    expect(await run({ from: 'overflow', send: true })).toEqual([
      expect.objectContaining({ replay: 'kept', why: expect.stringContaining(why) }),
    ]);
    expect(await stored()).toEqual([]);
  });
});

it('stores no second message when it died before it could take the letter from the list', async () => {
  await setAside(`bulk.v1.fleet.${sn}.events.hms`, aFact('events', 'hms'));
  const dying = Object.create(manager.streams) as JetStreamManager['streams'];
  dying.deleteMessage = () => Promise.reject(new Error('it died here'));
  const broken = new ReplayDeadLetters(
    { streams: dying } as JetStreamManager,
    (...args) => publisher.store(...args),
    logger,
  );
  await expect(broken.run({ from: 'dead', sn, after: 0, limit: 1, send: true }).next()).rejects.toThrow('it died here');
  await run({ send: true });
  expect(await stored()).toHaveLength(1);
  expect(await run()).toEqual([]);
});

it('sends what the ingress could not read once this release can, with the time at which it came', async () => {
  const { topic, raw } = aFact('events', 'flighttask_progress_of_old');
  const letter = { v: 1, topic, reason: 'unreadable then', receivedAtMs: RECEIVED_AT_MS };
  const payloadBase64 = Buffer.from(raw).toString('base64');
  const body = JSON.stringify({ ...letter, payloadBase64, payloadBytes: raw.length });
  await publisher.store(deadLetterSubject(sn), body, randomUUID());
  await run({ send: true });
  expect((await stored())[0]?.fact).toMatchObject({ receivedAtMs: RECEIVED_AT_MS, raw });
});

it.each([
  ['readiness for a mission', 'events', 'events', 'flighttask_ready', 'could start a flight'],
  ['the reply to a prepare', 'services_reply', 'replies', 'flighttask_prepare', 'never sent again'],
  ['the reply to an execute', 'services_reply', 'replies', 'flighttask_execute', 'never sent again'],
  ['a request', 'requests', 'requests', 'flighttask_resource_get', 'asked again'],
  ['a topology', 'status', 'status', 'update_topo', 'asked again'],
])('never sends %s, kept by a service or as it came', async (_what, channel, kind, method, why) => {
  const fact = aFact(channel, method);
  await setAside(`dock.v1.mission.${sn}.${kind}.${method}`, fact);
  if (channel !== 'status') await deadLetters.keepFact(fact, 'belongs to no mission');
  for (const letter of await run({ send: true })) {
    expect(letter).toMatchObject({ replay: 'kept', why: expect.stringMatching(new RegExp(`${why}|cannot be read`)) });
  }
  expect(await stored()).toEqual([]);
});

it('keeps what was cut, and what still cannot be read', async () => {
  const cut = { ...aFact('events', 'hms'), raw: 'x'.repeat(70_000) };
  await setAside(`bulk.v1.fleet.${sn}.events.hms`, cut);
  await deadLetters.keepFact({ ...aFact('events', 'hms'), raw: '{' }, 'irrelevant');
  const letters = await run({ send: true });
  expect(letters.map(({ replay, why }) => [replay, why])).toEqual([
    ['kept', 'only its first 64 KiB were kept'],
    ['kept', expect.stringContaining('it still cannot be read')],
  ]);
});

it('lists no more than it is asked for, and goes on from there', async () => {
  for (let index = 0; index < 5; index++) await setAside(`bulk.v1.fleet.${sn}.events.hms`, aFact('events', 'hms'));
  const first = await run({ limit: 3 });
  expect(first).toHaveLength(3);
  const rest = await run({ limit: 3, after: first.at(-1)?.seq ?? 0 });
  expect(rest).toHaveLength(2);
  const one = rest[0]?.seq ?? 0;
  expect((await run({ seqs: [one] })).map(({ seq }) => seq)).toEqual([one]);
});

it('counts what services set aside', async () => {
  await setAside(`bulk.v1.fleet.${sn}.events.hms`, aFact('events', 'hms'));
  await deadLetters.keepFact(aFact('events', 'hms'), 'belongs to no mission');
  const text = await metrics.registry.getSingleMetricAsString('messages_set_aside_total');
  expect(text).toMatch(/cause="cannot_be_handled".*} 1\n/);
  expect(text).toMatch(/cause="belongs_to_nothing".*} 1(\n|$)/);
});

it('is a command with help, which refuses what it does not know before it connects', async () => {
  const command = (...args: string[]) => {
    const env = { ...process.env, NATS_URL: nats.url };
    return spawnSync(process.execPath, [COMMAND, ...args], { env, encoding: 'utf8', timeout: 20_000 });
  };
  expect(command('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--send') });
  expect(command('--sned')).toMatchObject({ status: 2, stderr: expect.stringContaining('--sned') });
  expect(command('--limit', '5000')).toMatchObject({ status: 2, stderr: expect.stringContaining('1 to 1000') });
  await setAside(`bulk.v1.fleet.${sn}.events.hms`, aFact('events', 'hms'));
  const { status, stdout, stderr } = command('--sn', sn, '--send');
  expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ sn, replay: 'sent' })]);
  expect(stderr).toContain('1 sent again');
}, 60_000);
