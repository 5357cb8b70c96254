import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import {
  type DeadLetter,
  type DockFact,
  type SendAsk,
  deadLetter,
  dockFact,
  type OsdFact,
  RECEIVED_AT_HEADER,
  osdSubject,
  rawOsdSubject,
  sendManyQuestion,
  sendQuestion,
} from '@aerie/bus-contract';
import { MAX_PAYLOAD_BYTES } from '@aerie/dji-protocol';
import { AskMany, type NatsConnection, NoAnswerError, ask, connectNats } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, freePort, startPrivateMosquitto, startPrivateNats } from '@aerie/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { BrokerTap, type Subscription } from './fixtures/broker-tap.js';
import { startLosingWay } from './fixtures/losing-way.js';
import { startSlowBroker } from './fixtures/slow-broker.js';
import { RunningIngress } from './fixtures/running-ingress.js';

jest.setTimeout(60_000);

let nats: PrivateServer;
let broker: PrivateServer;
let connection: NatsConnection;
let manager: JetStreamManager;
const ingresses: RunningIngress[] = [];
const clients: MqttClient[] = [];

beforeAll(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'ingress-spec', createLogger('test', 'silent'));
  manager = await jetstreamManager(connection);
});

// A broker for each test: the session of an ingress that was killed would keep its share of the next one's messages.
beforeEach(async () => {
  broker = await startPrivateMosquitto();
});

afterEach(async () => {
  await Promise.all(ingresses.splice(0).map((ingress) => ingress.stop('SIGKILL')));
  for (const client of clients.splice(0)) client.end(true);
  for (const way of ways.splice(0)) way.stop();
  await broker.remove();
});

afterAll(async () => {
  await connection?.close();
  await nats?.remove();
});

/** To the broker, with something in between. */
const ways: { stop(): void }[] = [];

async function start(id = 'one', mqttUrl = broker.url, env: NodeJS.ProcessEnv = {}): Promise<RunningIngress> {
  const ingress = RunningIngress.start({ natsUrl: nats.url, mqttUrl, id, port: await freePort(), env });
  ingresses.push(ingress);
  await ready(ingress);
  return ingress;
}

const ready = (ingress: RunningIngress) => eventually('the ingress is ready', () => ingress.isReady(), 50_000);

async function connectDock(options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync(broker.url, {
    protocolVersion: 5,
    reconnectPeriod: 100,
    clean: true,
    ...options,
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

let docks = 0;
/** A serial number of its own for each test, since the stream is one. */
const aSerialNumber = (): string => `DOCK-${process.pid}-${++docks}`;

const publishEvents = (dock: MqttClient, sn: string, tids: readonly string[]) =>
  Promise.all(
    tids.map((tid) =>
      dock.publishAsync(
        `thing/product/${sn}/events`,
        JSON.stringify({ tid, bid: 'b', timestamp: 1, gateway: sn, method: 'some_event', data: {} }),
        { qos: 1 },
      ),
    ),
  );
const numbered = (count: number, prefix = 'tid'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** All messages of a stream that a serial number has sent. */
async function read<Message>(stream: string, sn: string, parse: (json: unknown) => Message): Promise<Message[]> {
  const info = await manager.streams.info(stream, { subjects_filter: '>' });
  if (!Object.keys(info.state.subjects ?? {}).some((subject) => subject.includes(sn))) return [];
  const found: Message[] = [];
  for (let seq = info.state.first_seq; seq <= info.state.last_seq; seq++) {
    const message = await manager.streams.getMessage(stream, { seq });
    if (message?.subject.includes(sn)) found.push(parse(message.json()));
  }
  return found;
}
const UPLINK_STREAMS = ['DOCK', 'BULK_FLEET', 'BULK_LOG'];
const factsIn = (stream: string, sn: string): Promise<DockFact[]> => read(stream, sn, (json) => dockFact.parse(json));
/** Of each stream in its order. */
const factsOf = async (sn: string): Promise<DockFact[]> =>
  (await Promise.all(UPLINK_STREAMS.map((stream) => factsIn(stream, sn)))).flat();
const lettersOf = (sn: string): Promise<DeadLetter[]> => read('DEAD', sn, (json) => deadLetter.parse(json));
const countOf = async (stream: string, sn: string): Promise<number> => {
  const { state } = await manager.streams.info(stream, { subjects_filter: '>' });
  return Object.entries(state.subjects ?? {}).reduce(
    (sum, [subject, count]) => (subject.includes(sn) ? sum + count : sum),
    0,
  );
};
const countOfUplinks = async (sn: string): Promise<number> =>
  (await Promise.all(UPLINK_STREAMS.map((stream) => countOf(stream, sn)))).reduce((sum, count) => sum + count, 0);
const tidsOf = async (sn: string): Promise<string[]> =>
  [...new Set((await factsOf(sn)).map(({ tid }) => tid ?? ''))].sort();

/** Waits until as many different messages are stored, and gives their tids. */
const storedTids = (sn: string, atLeast: number) =>
  eventually(
    `${atLeast} messages are stored`,
    async () => {
      if ((await countOfUplinks(sn)) < atLeast) return false;
      const tids = await tidsOf(sn);
      return tids.length >= atLeast && tids;
    },
    30_000,
  );

describe('an uplink', () => {
  it('is stored as the dock sent it', async () => {
    await start();
    const sn = aSerialNumber();
    await publishEvents(await connectDock(), sn, ['tid-1']);
    await storedTids(sn, 1);
    expect(await factsOf(sn)).toMatchObject([{ sn, channel: 'events', method: 'some_event', tid: 'tid-1' }]);
  });

  it('gets its PUBACK only after JetStream has it', async () => {
    const tap = await BrokerTap.open(broker.url);
    await start('one', tap.url);
    const sn = aSerialNumber();
    const dock = await connectDock();
    await nats.freeze();
    try {
      await publishEvents(dock, sn, ['tid-1']);
      await eventually(
        'the ingress had the message and left without storing it',
        () => tap.delivered > 0 && tap.left > 0,
      );
      expect(tap.acknowledged).toBe(0);
    } finally {
      nats.thaw();
    }
    await storedTids(sn, 1);
    await eventually('the broker has its PUBACK', () => tap.acknowledged > 0);
    tap.close();
  });

  it('is not lost while NATS stands still for longer than a store may take', async () => {
    const ingress = await start();
    const sn = aSerialNumber();
    const dock = await connectDock();
    await publishEvents(dock, sn, numbered(20, 'before'));
    await nats.freeze();
    const frozenMs = Date.now();
    await publishEvents(dock, sn, numbered(100, 'during'));
    await eventually('several store timeouts have passed', () => Date.now() - frozenMs > 4_000);
    nats.thaw();
    await ready(ingress);
    await publishEvents(dock, sn, numbered(20, 'after'));
    expect(await storedTids(sn, 140)).toHaveLength(140);
  });

  it('is not lost when NATS is killed and comes back', async () => {
    const ingress = await start();
    const sn = aSerialNumber();
    const dock = await connectDock();
    const before = publishEvents(dock, sn, numbered(100, 'before'));
    await eventually('some are stored', async () => (await countOfUplinks(sn)) > 10);
    await nats.kill();
    await before;
    await publishEvents(dock, sn, numbered(100, 'during'));
    await nats.start();
    await ready(ingress);
    expect(await storedTids(sn, 200)).toHaveLength(200);
  });

  it('is not lost when the ingress is killed with kill -9 and started again', async () => {
    const first = await start();
    const sn = aSerialNumber();
    const dock = await connectDock();
    const published = publishEvents(dock, sn, numbered(400));
    await eventually('it is in the middle of them', async () => (await countOfUplinks(sn)) > 20);
    await first.stop('SIGKILL');
    await published;
    await start();
    expect(await storedTids(sn, 400)).toHaveLength(400);
  });
});

const RETAINED = { qos: 1, retain: true } as const;
const anEvent = (tid: string): string =>
  JSON.stringify({ tid, bid: 'b', timestamp: 1, method: 'some_event', data: {} });

/** Topics of which the broker keeps a copy. */
async function keptTopics(): Promise<string[]> {
  const client = await connectDock({ reconnectPeriod: 0 });
  const topics: string[] = [];
  client.on('message', (topic, _payload, { retain }) => void (retain && topics.push(topic)));
  await client.subscribeAsync('thing/#', { qos: 0 });
  // The broker sends the copies before it answers this.
  await client.unsubscribeAsync('thing/#');
  await client.endAsync();
  return topics.sort();
}

describe.each([4, 5] as const)('a dock that publishes with the retain flag, MQTT version %s', (protocolVersion) => {
  it('has its live messages stored, and stays connected', async () => {
    await start();
    const sn = aSerialNumber();
    const dock = await connectDock({ protocolVersion, reconnectPeriod: 0 });
    for (const tid of ['one', 'two']) await dock.publishAsync(`thing/product/${sn}/events`, anEvent(tid), RETAINED);
    expect(await storedTids(sn, 2)).toEqual(['one', 'two']);
    expect(dock.connected).toBe(true);
  });

  it('has its messages stored that came while the ingress was away, and no copy when the ingress comes back', async () => {
    const first = await start();
    const sn = aSerialNumber();
    const dock = await connectDock({ protocolVersion });
    await dock.publishAsync(`thing/product/${sn}/events`, anEvent('before'), RETAINED);
    await storedTids(sn, 1);
    await first.stop('SIGKILL');
    await dock.publishAsync(`thing/product/${sn}/events`, anEvent('meanwhile'), RETAINED);
    await start();
    await storedTids(sn, 2);
    await publishEvents(dock, sn, ['fresh']);
    await storedTids(sn, 3);
    expect((await factsOf(sn)).map(({ tid }) => tid)).toEqual(['before', 'meanwhile', 'fresh']);
  });

  it('has its retained will stored when its connection breaks, and never again', async () => {
    const first = await start();
    const sn = aSerialNumber();
    const will = { topic: `thing/product/${sn}/events`, payload: Buffer.from(anEvent('will')), ...RETAINED };
    const dock = await connectDock({ protocolVersion, reconnectPeriod: 0, will });
    dock.stream.destroy();
    await storedTids(sn, 1);
    await first.stop('SIGTERM');
    await start();
    await publishEvents(await connectDock(), sn, ['fresh']);
    await storedTids(sn, 2);
    expect((await factsOf(sn)).map(({ tid }) => tid)).toEqual(['will', 'fresh']);
  });
});

describe('telemetry', () => {
  const publishOsd = (dock: MqttClient, sn: string, payload: string) =>
    dock.publishAsync(`thing/product/${sn}/osd`, payload, { qos: 0 });
  const anOsd = (mark: number) => `{"tid":"t", "bid":"b", "timestamp":1,  "data":{"mark":${mark}}}`;

  it('is handed on byte by byte, with the time when it was received, also where nobody can read it', async () => {
    const sn = aSerialNumber();
    const seen: { readonly text: string; readonly receivedAtMs: number }[] = [];
    const subscription = connection.subscribe(rawOsdSubject(sn), {
      callback: (_error, message) =>
        void seen.push({ text: message.string(), receivedAtMs: Number(message.headers?.get(RECEIVED_AT_HEADER)) }),
    });
    await connection.flush();
    const ingress = await start();
    const dock = await connectDock();
    const beganMs = Date.now();
    await eventually('telemetry passes', async () => {
      for (const payload of [anOsd(1), 'no JSON']) await publishOsd(dock, sn, payload);
      return seen.length >= 2;
    });
    subscription.unsubscribe();
    expect(new Set(seen.map(({ text }) => text))).toEqual(new Set([anOsd(1), 'no JSON']));
    for (const { receivedAtMs } of seen) {
      expect(receivedAtMs).toBeGreaterThanOrEqual(beganMs);
      expect(receivedAtMs).toBeLessThanOrEqual(Date.now());
    }
    expect(ingress.running).toBe(true);
  });

  it('goes out as the release before reads it while nobody reads it raw, and raw once somebody does', async () => {
    const sn = aSerialNumber();
    const [read, raw]: [OsdFact[], string[]] = [[], []];
    const old = connection.subscribe(osdSubject(sn), { callback: (_error, message) => void read.push(message.json()) });
    await start();
    const dock = await connectDock();
    const sendUntil = (what: string, done: () => boolean) =>
      eventually(what, async () => {
        await publishOsd(dock, sn, anOsd(1));
        return done();
      });
    await sendUntil('it comes in the old form', () => read.length > 3);
    expect(read[0]).toMatchObject({ v: 1, sn, gateway: null, data: { mark: 1 } });
    const fresh = connection.subscribe(rawOsdSubject(sn), {
      callback: (_error, message) => void raw.push(message.string()),
    });
    await sendUntil('it comes raw', () => raw.length > 3);
    expect(raw[0]).toBe(anOsd(1));
    const count = read.length;
    await sendUntil('it goes on raw', () => raw.length > 10);
    expect(read).toHaveLength(count);
    for (const subscription of [old, fresh]) subscription.unsubscribe();
  });

  it('that is too large for the bus is left out with a note, and the next one passes', async () => {
    const sn = aSerialNumber();
    const seen: string[] = [];
    const notes: string[] = [];
    connection.subscribe(rawOsdSubject(sn), { callback: (_error, message) => void seen.push(message.string()) });
    connection.subscribe(`note.v1.${sn}`, { callback: (_error, message) => void notes.push(message.string()) });
    await connection.flush();
    await start();
    const dock = await connectDock();
    await eventually('it is noted, and the other one passes', async () => {
      await publishOsd(dock, sn, 'x'.repeat(MAX_PAYLOAD_BYTES + 1));
      await publishOsd(dock, sn, anOsd(1));
      return seen.length > 0 && notes.length > 0;
    });
    expect(new Set(seen)).toEqual(new Set([anOsd(1)]));
    expect(notes[0]).toContain('unreadable_telemetry');
  });
});

describe('a copy that the broker keeps', () => {
  it('of an event is not taken by an ingress that connects later', async () => {
    const sn = aSerialNumber();
    const dock = await connectDock();
    await dock.publishAsync(`thing/product/${sn}/events`, anEvent('old'), RETAINED);
    await start();
    await publishEvents(dock, sn, ['fresh']);
    expect(await storedTids(sn, 1)).toEqual(['fresh']);
  });

  it('of telemetry is no sign of life', async () => {
    const sn = aSerialNumber();
    const seen: unknown[] = [];
    connection.subscribe(rawOsdSubject(sn), { callback: (_error, message) => void seen.push(message.json()) });
    await connection.flush();
    const dock = await connectDock();
    const osd = (mark: number) => JSON.stringify({ tid: 't', bid: 'b', timestamp: 1, data: { mark } });
    await dock.publishAsync(`thing/product/${sn}/osd`, osd(1), RETAINED);
    const ingress = await start();
    await eventually('telemetry passes', async () => {
      await dock.publishAsync(`thing/product/${sn}/osd`, osd(2), { qos: 1 });
      return (await ingress.counted('ingress_osd_total')) > 0;
    });
    await connection.flush();
    expect(seen).not.toContainEqual(expect.objectContaining({ data: { mark: 1 } }));
    expect(seen).toContainEqual(expect.objectContaining({ data: { mark: 2 } }));
  });

  it('is asked for by no subscription but that of a sweep, and no live message keeps its flag', async () => {
    const tap = await BrokerTap.open(broker.url);
    await start('one', tap.url, { INGRESS_RETAINED_SWEEP_MS: '200' });
    const isLasting = ({ filter }: Subscription): boolean => filter.startsWith('$share/');
    await eventually('it listens for events and telemetry, and sweeps', () => {
      const lasting = tap.subscriptions.filter(isLasting).map(({ filter }) => filter);
      const listens = ['/events', '/osd'].every((end) => lasting.some((filter) => filter.endsWith(end)));
      return listens && tap.subscriptions.length > lasting.length;
    });
    tap.close();
    const lasting = tap.subscriptions.filter(isLasting);
    const swept = tap.subscriptions.filter((subscription) => !isLasting(subscription));
    expect(new Set(lasting.map(({ retainHandling }) => retainHandling))).toEqual(new Set([2]));
    expect(new Set(swept.map(({ retainHandling }) => retainHandling))).toEqual(new Set([0]));
    expect([...lasting, ...swept].filter(({ retainAsPublished }) => retainAsPublished)).toEqual([]);
  });

  it('is removed, counted and logged with its topic, and removing it is no message of the dock', async () => {
    const sn = aSerialNumber();
    const dock = await connectDock();
    for (const channel of ['events', 'osd', 'state']) {
      await dock.publishAsync(`thing/product/${sn}/${channel}`, anEvent('kept'), RETAINED);
    }
    expect(await keptTopics()).toHaveLength(3);
    const ingress = await start('one', broker.url, { INGRESS_RETAINED_SWEEP_MS: '200' });
    await eventually('the broker keeps no copy', async () => (await keptTopics()).length === 0);
    await eventually('it is counted', async () => (await ingress.counted('ingress_retained_removed_total')) === 3);
    expect(ingress.logged('retain flag').join()).toContain(`thing/product/${sn}/osd`);
    await publishEvents(dock, sn, ['after']);
    expect(await storedTids(sn, 1)).toEqual(['after']);
    expect(await countOf('DEAD', sn)).toBe(0);
  });
});

const GARBAGE: readonly (string | Buffer)[] = [
  '',
  '{',
  'null',
  '[]',
  '7',
  Buffer.from([0xff, 0xfe, 0x00]),
  '{"method":"a.b","tid":"t","data":{}}',
  '{"method":"*","tid":"t","data":{}}',
  '{"method":">","tid":"t","data":{}}',
  '{"method":"","tid":"t","data":{}}',
  '{"method":7,"tid":"t","data":{}}',
  `{"method":"${'x'.repeat(65)}","tid":"t","data":{}}`,
  '{"method":"a b","tid":"t","data":{}}',
  '{"method":"A","tid":"t","data":{}}',
  '['.repeat(20_000),
  'x'.repeat(200_000),
];

describe('a thousand messages that cannot be read, among good ones', () => {
  it('are kept with a reason and hold up none of the good ones', async () => {
    const ingress = await start();
    const sn = aSerialNumber();
    const dock = await connectDock();
    const publishing: Promise<unknown>[] = [];
    for (let index = 0; index < 1_000; index++) {
      const garbage = GARBAGE[index % GARBAGE.length] ?? '';
      // The two large ones would only fill the stream.
      const payload = garbage.length > 10_000 && index > 100 ? '{' : garbage;
      publishing.push(dock.publishAsync(`thing/product/${sn}/events`, payload, { qos: 1 }));
      if (index % 5 === 0) publishing.push(publishEvents(dock, sn, [`good-${index}`]));
    }
    await Promise.all(publishing);
    expect(await storedTids(sn, 200)).toHaveLength(200);
    await eventually('all of the others are kept', async () => (await countOf('DEAD', sn)) >= 1_000, 30_000);
    expect((await lettersOf(sn)).filter(({ reason }) => reason === '')).toEqual([]);
    expect([ingress.running, await countOfUplinks(sn)]).toEqual([true, 200]);
  });
});

/** An answer to `fileupload_list` as docks write it, of so many logs. */
const aList = (sn: string, tid: string, entries: number): string => {
  const list = Array.from({ length: entries }, (_, index) => ({
    ...{ boot_index: index, start_time: 1_659_427_398_806, end_time: 1_659_427_435_521, size: 35_921_349 },
  }));
  const files = [{ device_sn: sn, module: '3', result: 0, list }];
  return JSON.stringify({ tid, bid: 'b', timestamp: 1, method: 'fileupload_list', data: { result: 0, files } });
};

describe('K8: a list of logs', () => {
  const publishList = (dock: MqttClient, sn: string, payload: string) =>
    dock.publishAsync(`thing/product/${sn}/services_reply`, payload, { qos: 1 });

  it('of 100,000 entries is kept as a dead letter with its reason, and holds up nothing that follows', async () => {
    const ingress = await start();
    const sn = aSerialNumber();
    const dock = await connectDock();
    const payload = aList(sn, 'huge', 100_000);
    expect(payload.length).toBeGreaterThan(1_000_000);
    const sending = publishList(dock, sn, payload);
    await Promise.all([sending, publishEvents(dock, sn, numbered(20, 'after'))]);
    expect(await storedTids(sn, 20)).toEqual(numbered(20, 'after').sort());
    await eventually('it is kept', async () => (await countOf('DEAD', sn)) === 1);
    const [letter] = await lettersOf(sn);
    expect(letter).toMatchObject({
      ...{ topic: `thing/product/${sn}/services_reply`, payloadBytes: payload.length },
      reason: `payload is larger than ${MAX_PAYLOAD_BYTES} bytes`,
    });
    expect(Buffer.from(letter?.payloadBase64 ?? '', 'base64').toString()).toBe(payload.slice(0, 65_536));
    expect([ingress.running, await ingress.isReady(), await countOfUplinks(sn)]).toEqual([true, true, 20]);
  });

  it('of as many entries as a message may have is stored whole, in its normalised form and as it came', async () => {
    await start();
    const sn = aSerialNumber();
    let entries = 2_000;
    while (aList(sn, 'full', entries + 1).length <= MAX_PAYLOAD_BYTES) entries++;
    const payload = aList(sn, 'full', entries);
    const dock = await connectDock();
    await publishList(dock, sn, payload);
    await storedTids(sn, 1);
    const [fact] = await factsOf(sn);
    const { files } = fact?.data as { files: { list: unknown[] }[] };
    expect([files[0]?.list.length, fact?.raw]).toEqual([entries, payload]);
    expect(await countOf('DEAD', sn)).toBe(0);
  });
});

describe('a dock that sends far more than its share', () => {
  const LARGE_BYTES = 110 * 1024;
  const FLOOD = 150;
  /** A minute of these is 36 of the large messages. */
  const BUDGET = { INGRESS_DOCK_BYTES_PER_SECOND: String(64 * 1024) };

  it('keeps no other dock waiting, and its replies and the reports of its flight are taken all the same', async () => {
    const ingress = await start('one', broker.url, BUDGET);
    const [flooder, quiet] = [aSerialNumber(), aSerialNumber()];
    const [loud, still] = [await connectDock(), await connectDock()];
    const notes: string[] = [];
    const subscription = connection.subscribe(`note.v1.${flooder}`, {
      callback: (_error, message) => void notes.push(message.json<{ code: string }>().code),
    });
    const send = (method: string, channel: string, tid: string, data: unknown) =>
      loud.publishAsync(
        `thing/product/${flooder}/${channel}`,
        JSON.stringify({ tid, bid: 'b', timestamp: 1, gateway: flooder, method, data }),
        { qos: 1 },
      );
    const flood = numbered(FLOOD, 'flood').map((tid) =>
      send('some_event', 'events', tid, { text: 'x'.repeat(LARGE_BYTES) }),
    );
    await Promise.all([...flood, publishEvents(still, quiet, numbered(50, 'quiet'))]);
    const flight = {
      output: { status: 'ok', progress: { percent: 100 }, ext: { flight_id: 'irrelevant' } },
      result: 0,
    };
    await send('flighttask_progress', 'events', 'end of its flight', flight);
    await send('flighttask_execute', 'services_reply', 'its reply', { result: 0 });
    expect(await storedTids(quiet, 50)).toHaveLength(50);
    const kept = await eventually('what matters of the flooder is stored', async () => {
      const tids = await tidsOf(flooder);
      return tids.includes('end of its flight') && tids.includes('its reply') && tids;
    });
    expect(kept.filter((tid) => tid.startsWith('flood')).length).toBeLessThan(FLOOD / 2);
    expect(await ingress.counted('ingress_left_out_total')).toBeGreaterThan(FLOOD / 2);
    await eventually('the dock has a note', () => notes.includes('over_budget'));
    subscription.unsubscribe();
  });

  it('is taken again once it sends less', async () => {
    await start('one', broker.url, { ...BUDGET, INGRESS_DOCK_MESSAGES_PER_SECOND: '5' });
    const [sn, dock] = [aSerialNumber(), await connectDock()];
    await publishEvents(dock, sn, numbered(600));
    // Five in a second: soon there is room for another one.
    await eventually('a later message is stored', async () => {
      await publishEvents(dock, sn, [`later ${Date.now()}`]);
      return (await tidsOf(sn)).some((tid) => tid.startsWith('later'));
    });
  });
});

describe('a stream of bulk messages that is full', () => {
  /** Leaves room for one message more than the stream holds. */
  async function fill(stream: string): Promise<() => Promise<unknown>> {
    const { config, state } = await manager.streams.info(stream);
    await manager.streams.update(stream, { ...config, max_bytes: Math.max(1, state.bytes) });
    return () => manager.streams.update(stream, config);
  }
  const publish = (dock: MqttClient, sn: string, channel: string, message: object) =>
    dock.publishAsync(
      `thing/product/${sn}/${channel}`,
      JSON.stringify({ bid: 'b', timestamp: 1, gateway: sn, ...message }),
      {
        qos: 1,
      },
    );
  const publishReply = (dock: MqttClient, sn: string, tid: string) =>
    publish(dock, sn, 'services_reply', { tid, method: 'flighttask_execute', data: { result: 0 } });

  it('keeps no reply of a flight waiting and closes no gate; what it refuses is kept aside and can be stored again', async () => {
    const tap = await BrokerTap.open(broker.url);
    const ingress = await start('one', tap.url);
    const [talker, flyer] = [aSerialNumber(), aSerialNumber()];
    const dock = await connectDock();
    const enlarge = await fill('BULK_FLEET');
    await publishEvents(dock, talker, numbered(40));
    for (const tid of numbered(20, 'reply')) await publishReply(dock, flyer, tid);
    await eventually('the replies are stored', async () => (await countOf('DOCK', flyer)) === 20);
    await eventually('the broker has every PUBACK', () => tap.acknowledged === 60);
    tap.close();
    expect([await countOf('BULK_FLEET', talker), await countOf('OVERFLOW', talker)]).toEqual([0, 40]);
    expect([await ingress.counted('ingress_overflow_total'), ingress.logged('leaving the broker')]).toEqual([40, []]);
    await enlarge();
    expect(sendOverflow(talker)).toContain('40 sent again');
    expect([await tidsOf(talker), await countOf('OVERFLOW', talker)]).toEqual([numbered(40).sort(), 0]);
  });

  it('is given a reply without a method once, beside the stream of flights, and keeps that from nobody', async () => {
    await start();
    const [sn, dock] = [aSerialNumber(), await connectDock()];
    const reply = (tid: string) => publish(dock, sn, 'services_reply', { tid, data: { result: 0 } });
    await reply('first');
    await eventually('both have it', async () => (await countOf('DOCK', sn)) + (await countOf('BULK_LOG', sn)) === 2);
    const enlarge = await fill('BULK_LOG');
    await reply('second');
    await eventually('it is kept aside', async () => (await countOf('OVERFLOW', sn)) === 1);
    await enlarge();
    expect((await factsIn('DOCK', sn)).map(({ tid }) => tid)).toEqual(['first', 'second']);
    expect((await factsIn('BULK_LOG', sn)).map(({ tid }) => tid)).toEqual(['first']);
  });

  it('is left by a dock beyond its share of the overflow: counted, noted and acknowledged, and no other dock pays for it', async () => {
    const ingress = await start();
    const [loud, quiet] = [aSerialNumber(), aSerialNumber()];
    const dock = await connectDock();
    const notes: (string | null)[] = [];
    const subscription = connection.subscribe(`note.v1.${loud}`, {
      callback: (_error, message) => void notes.push(message.json<{ detail: string | null }>().detail),
    });
    const enlarge = await fill('BULK_FLEET');
    const text = 'x'.repeat(100 * 1024);
    const LARGE = 12;
    for (const tid of numbered(LARGE))
      await publish(dock, loud, 'events', { tid, method: 'some_event', data: { text } });
    await publishEvents(dock, quiet, ['one']);
    await eventually('the quiet one is kept', async () => (await countOf('OVERFLOW', quiet)) === 1);
    await eventually('all are kept or counted', async () => {
      const leftOut = await ingress.counted('ingress_overflow_left_out_total');
      return leftOut + (await countOf('OVERFLOW', loud)) === LARGE;
    });
    await enlarge();
    const kept = await countOf('OVERFLOW', loud);
    expect(kept).toBeGreaterThan(1);
    expect(kept).toBeLessThan(LARGE);
    await eventually('the dock has a note', () => notes.includes('none: left out'));
    subscription.unsubscribe();
    expect(ingress.logged('leaving the broker')).toEqual([]);
  });

  it('leaves messages out once the overflow is full as well, and stores again as soon as it has room', async () => {
    const ingress = await start();
    const [sn, dock] = [aSerialNumber(), await connectDock()];
    const enlarge = [await fill('BULK_FLEET'), await fill('OVERFLOW')];
    await publishEvents(dock, sn, ['left out']);
    await eventually('it is counted', async () => (await ingress.counted('ingress_overflow_left_out_total')) === 1);
    for (const each of enlarge) await each();
    await publishEvents(dock, sn, ['later']);
    expect(await storedTids(sn, 1)).toEqual(['later']);
    expect(ingress.logged('leaving the broker')).toEqual([]);
  });

  /** The command, as a person types it. */
  function sendOverflow(sn: string): string {
    const command = fileURLToPath(new URL('./replay-dead-letters.js', import.meta.url));
    const env = { ...process.env, NATS_URL: nats.url };
    const args = [command, '--overflow', '--send', '--sn', sn];
    return spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 30_000 }).stderr;
  }
});

describe('a planned stop', () => {
  it('leaves no member behind that would keep a share of the messages', async () => {
    const first = await start('one');
    await start('two');
    const sn = aSerialNumber();
    const dock = await connectDock();
    await publishEvents(dock, sn, numbered(50, 'before'));
    await first.stop('SIGTERM');
    await publishEvents(dock, sn, numbered(100, 'after'));
    expect(await storedTids(sn, 150)).toHaveLength(150);
  });

  it('loses nothing of what comes meanwhile', async () => {
    const first = await start('one');
    await start('two');
    const sn = aSerialNumber();
    const dock = await connectDock();
    const stopping = first.stop('SIGTERM');
    const publishing = publishEvents(dock, sn, numbered(300));
    await Promise.all([stopping, publishing]);
    expect(await storedTids(sn, 300)).toHaveLength(300);
  });

  it('ends with code 0', async () => {
    const ingress = await start();
    expect(await ingress.stop('SIGTERM')).toBe(0);
  });
});

describe('a downlink', () => {
  const anAsk = (sn: string, given: Partial<SendAsk> = {}): SendAsk => ({
    sn,
    channel: 'services',
    method: 'flighttask_execute',
    tid: 'tid-1',
    bid: 'bid-1',
    data: { flight_id: 'f' },
    sentAtMs: Date.now(),
    notAfterMs: Date.now() + 10_000,
    ...given,
  });
  const send = (sn: string, given: Partial<SendAsk> = {}) => ask(connection, sendQuestion, anAsk(sn, given));
  const tidsHeardBy = async (dock: MqttClient, sn: string): Promise<string[]> => {
    const heard: string[] = [];
    dock.on('message', (_topic, payload) => heard.push((JSON.parse(payload.toString()) as { tid: string }).tid));
    await dock.subscribeAsync(`thing/product/${sn}/services`, { qos: 1 });
    return heard;
  };

  it('is written once to a dock that listens', async () => {
    await start();
    const sn = aSerialNumber();
    const heard = await tidsHeardBy(await connectDock(), sn);
    expect(await send(sn)).toEqual({ outcome: 'written' });
    await send(sn, { tid: 'tid-2' });
    await eventually('the dock heard the second', () => heard.includes('tid-2'));
    expect(heard).toEqual(['tid-1', 'tid-2']);
  });

  it('is written or refused by itself among others of one question, in their order', async () => {
    await start();
    const sn = aSerialNumber();
    const heard = await tidsHeardBy(await connectDock(), sn);
    const late = { notAfterMs: Date.now() };
    const answers = await Promise.all(
      new AskMany(connection).ask(sendManyQuestion, [
        anAsk(sn, { tid: 'tid-1' }),
        anAsk(sn, { tid: 'tid-2', ...late }),
        anAsk(aSerialNumber(), { tid: 'tid-3' }),
        anAsk(sn, { tid: 'tid-4' }),
      ]),
    );
    expect(answers.map(({ outcome, reason }) => reason ?? outcome)).toEqual([
      ...['written', 'too late', 'no matching subscribers', 'written'],
    ]);
    await eventually('the dock heard the last', () => heard.includes('tid-4'));
    expect(heard).toEqual(['tid-1', 'tid-4']);
  });

  it('that was refused has its answer although the broker is killed before it acknowledges the others', async () => {
    await start();
    const sn = aSerialNumber();
    await tidsHeardBy(await connectDock(), sn);
    await broker.freeze();
    const answers = new AskMany(connection).ask(sendManyQuestion, [
      anAsk(sn),
      anAsk(sn, { tid: 'tid-2', notAfterMs: Date.now() }),
      anAsk(sn, { tid: 'tid-3' }),
    ]);
    expect(await answers[1]).toEqual({ outcome: 'refused', reason: 'too late' });
    await broker.kill();
    expect((await Promise.all(answers)).map(({ outcome }) => outcome)).toEqual(['unknown', 'refused', 'unknown']);
    await broker.start();
  });

  it('is kept by the broker for nobody who subscribes later', async () => {
    await start();
    const sn = aSerialNumber();
    await tidsHeardBy(await connectDock(), sn);
    expect(await send(sn)).toEqual({ outcome: 'written' });
    const later = await tidsHeardBy(await connectDock(), sn);
    await send(sn, { tid: 'tid-2' });
    await eventually('the later one heard the second', () => later.includes('tid-2'));
    expect(later).toEqual(['tid-2']);
  });

  it('is refused when no dock listens', async () => {
    await start();
    expect(await send(aSerialNumber())).toEqual({
      ...{ outcome: 'refused', reason: 'no matching subscribers', dockIsAway: true },
    });
  });

  it('is refused after its time, and the dock hears nothing', async () => {
    await start();
    const sn = aSerialNumber();
    const heard = await tidsHeardBy(await connectDock(), sn);
    expect(await send(sn, { notAfterMs: Date.now() })).toEqual({ outcome: 'refused', reason: 'too late' });
    await send(sn, { tid: 'tid-2' });
    await eventually('the dock heard the second', () => heard.includes('tid-2'));
    expect(heard).toEqual(['tid-2']);
  });

  it('is refused while the broker is away', async () => {
    await start();
    await broker.kill();
    const answer = await eventually('the ingress noticed', async () => {
      const given = await send(aSerialNumber());
      return given.outcome === 'refused' && given;
    });
    expect(answer.reason).toBe('not connected to the broker');
  });

  it('is unknown when the broker is killed before its PUBACK, and is never sent again', async () => {
    const ingress = await start();
    const sn = aSerialNumber();
    await tidsHeardBy(await connectDock(), sn);
    await broker.freeze();
    const answer = send(sn);
    // An ask that was answered shows that the one before it was written.
    const refused = await send(sn, { notAfterMs: Date.now() });
    await broker.kill();
    expect([refused.outcome, (await answer).outcome]).toEqual(['refused', 'unknown']);
    await broker.start();
    await ready(ingress);
    const heard = await tidsHeardBy(await connectDock(), sn);
    await send(sn, { tid: 'tid-2' });
    await eventually('the dock hears the ingress again', () => heard.includes('tid-2'));
    expect(heard).toEqual(['tid-2']);
  });

  it('is unknown when its PUBACK does not come in time', async () => {
    await start();
    const sn = aSerialNumber();
    await tidsHeardBy(await connectDock(), sn);
    await broker.freeze();
    expect((await send(sn)).outcome).toBe('unknown');
    broker.thaw();
  });

  it('reaches its dock late by as long as the broker stood still, and nothing is put behind it meanwhile', async () => {
    await start();
    const sn = aSerialNumber();
    const heard = await tidsHeardBy(await connectDock(), sn);
    await broker.freeze();
    const frozenMs = Date.now();
    const first = send(sn, { notAfterMs: frozenMs + 5_000 });
    const refused = new Map<string, string | undefined>();
    for (let asked = 0; refused.size < 3; asked++) {
      const tid = `behind-${asked}`;
      void send(sn, { tid }).then(({ outcome, reason }) => outcome === 'refused' && refused.set(tid, reason));
      await pause(200);
    }
    expect([...refused.values()].join()).toMatch(/^(the broker stands still[^,]*,?){3}/);
    expect((await first).outcome).toBe('unknown');
    // Its time is over while it lies unread: only then does its expiry begin to count.
    await eventually('its time is over', () => Date.now() > frozenMs + 5_000);
    broker.thaw();
    await eventually('the dock hears it late', () => heard.includes('tid-1'));
    await eventually('the ingress writes again', async () => (await send(sn, { tid: 'tid-2' })).outcome === 'written');
    await eventually('the dock heard the last', () => heard.includes('tid-2'));
    expect(heard.filter((tid) => refused.has(tid))).toEqual([]);
  }, 40_000);

  it.each([
    ['when its time is over', '60', 4_500],
    ['when the broker owes a PINGRESP', '2', 60_000],
  ])(
    'that is not acknowledged is thrown away %s, with the connection in which it may still lie',
    async (_when, INGRESS_KEEPALIVE_SECONDS, forMs) => {
      const way = await startLosingWay(Number(new URL(broker.url).port));
      ways.push(way);
      await start('losing', `mqtt://127.0.0.1:${way.port}`, { INGRESS_KEEPALIVE_SECONDS });
      const sn = aSerialNumber();
      const heard = await tidsHeardBy(await connectDock(), sn);
      way.lose();
      const answer = await send(sn, { notAfterMs: Date.now() + forMs });
      expect(answer).toEqual({ outcome: 'unknown', reason: 'the connection was lost' });
      const ended = await eventually('the connection has ended', () => way.ends.find(({ isDownlink }) => isDownlink));
      expect([ended.how, heard]).toEqual(['reset', []]);
    },
  );

  it('is asked of no ingress that has no connection to the broker yet', async () => {
    const slow = await startSlowBroker(Number(new URL(broker.url).port));
    ways.push(slow);
    const sn = aSerialNumber();
    const heard = await tidsHeardBy(await connectDock(), sn);
    const asked: string[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const tid = `early-${asked.length}`;
        const { outcome, reason } = await send(sn, { tid }).catch((error: unknown) => {
          expect(error).toMatchObject({ noResponders: true });
          return { outcome: 'seen by nobody', reason: undefined };
        });
        asked.push(reason ?? outcome);
      }
    })();
    await start('early', `mqtt://127.0.0.1:${slow.port}`).finally(() => (isOver = true));
    await asking;
    expect(new Set(asked)).toEqual(new Set(['seen by nobody', 'written']));
    expect(heard).toHaveLength(asked.filter((answer) => answer === 'written').length);
  });

  it('that is asked for while no ingress runs was seen by nobody', async () => {
    const failure = await send(aSerialNumber()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NoAnswerError);
    expect(failure).toMatchObject({ noResponders: true });
  });
});
