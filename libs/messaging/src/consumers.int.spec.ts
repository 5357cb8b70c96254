import type { ConsumerSpec, DockFact } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { answerDock } from './answer-dock.js';
import { type NatsConnection, connectNats } from './connection.js';
import { ACK, type Delivery } from './consume.js';
import { Consumers } from './consumers.js';
import { declareConsumer, declareStream } from './declare.js';
import { JetStreamPublisher } from './publish.js';

const logger = createLogger('test', 'silent');
const AWAY = new Error('the database is away');
const NO_TEXT = new Error('no text');

let nats: PrivateServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let publisher: JetStreamPublisher;
let consumers: Consumers<string>;
let kept: string[];
let reads: string[];
let names = 0;

beforeAll(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'consumers-spec', logger);
  manager = await jetstreamManager(connection);
  publisher = new JetStreamPublisher(connection, 2_000);
});

beforeEach(() => {
  kept = [];
  reads = [];
  consumers = new Consumers({
    ...{ connection, logger },
    read: ({ body }) => {
      const text = new TextDecoder().decode(body);
      reads.push(text);
      if (text === 'unreadable') throw new Error('it is no word');
      return text;
    },
    isHopeless: (error) => error === NO_TEXT,
    isOutage: (error) => error === AWAY,
    deadLetters: {
      keepDelivery: async ({ body }: Delivery, reason: string) =>
        void kept.push(`${new TextDecoder().decode(body)}: ${reason}`),
    },
  });
});

afterEach(() => consumers.stop());

afterAll(async () => {
  await connection?.close();
  await nats?.remove();
});

/** A stream of its own with one consumer. */
async function aStream(): Promise<{ spec: ConsumerSpec; publish: (...words: string[]) => Promise<unknown> }> {
  const name = `C${++names}`;
  const subject = `${name.toLowerCase()}.v1.thing.D`;
  await declareStream(
    manager,
    {
      ...{ name, subjects: [subject], retention: 'interest', discard: 'new' },
      ...{ maxBytes: 1_000_000, maxAgeMs: 3_600_000, maxMessageBytes: 10_000 },
    },
    1,
  );
  const spec: ConsumerSpec = {
    ...{ stream: name, durable: 'worker', service: 'mission', filterSubjects: [subject] },
    ...{ ackWaitMs: 1_000, maxAckPending: 100 },
  };
  await declareConsumer(manager, spec, 1);
  const publish = (...words: string[]): Promise<unknown> =>
    Promise.all(words.map((word) => publisher.store(subject, word, `${name}-${word}`)));
  return { spec, publish };
}

const settled = ({ stream, durable }: ConsumerSpec): Promise<unknown> =>
  eventually('everything is acknowledged', async () => {
    // A message that was stored this instant is counted by the consumer a little later.
    const { last_seq } = (await manager.streams.info(stream)).state;
    const { num_pending, num_ack_pending, delivered } = await manager.consumers.info(stream, durable);
    return delivered.stream_seq >= last_seq && num_pending + num_ack_pending === 0;
  });

it('handles in one batch what arrived meanwhile', async () => {
  const { spec, publish } = await aStream();
  const batches: (readonly string[])[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  consumers.startBatches(spec, {
    ...{ maxBatch: 2, lanes: 1 },
    handleBatch: async (words) => {
      batches.push(words);
      await released;
      return words.map(() => ACK);
    },
  });
  await publish('first');
  await eventually('the first is in work', () => batches.length === 1);
  await publish('a', 'b', 'c', 'd');
  // No more than two batches are taken: the last one waits in the stream, where another replica may have it.
  await eventually('as many are taken as may be', async () => {
    const { num_pending, num_ack_pending } = await manager.consumers.info(spec.stream, spec.durable);
    return num_ack_pending === 4 && num_pending === 1;
  });
  release();
  await settled(spec);
  expect(batches[1]).toHaveLength(2);
  expect(batches.flat().sort()).toEqual(['a', 'b', 'c', 'd', 'first']);
});

it('handles singles beside each other: one that takes long keeps none waiting', async () => {
  const { spec, publish } = await aStream();
  const done: string[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  consumers.startSingles(spec, {
    maxInWork: 4,
    handle: async (word) => {
      if (word === 'slow') await released;
      done.push(word);
      return ACK;
    },
  });
  await publish('slow');
  await publish('a', 'b');
  await eventually('the others are done', () => done.length === 2);
  release();
  await settled(spec);
  expect(done.at(-1)).toBe('slow');
});

it('keeps with its reason what cannot be read, what is hopeless and what is rejected', async () => {
  const { spec, publish } = await aStream();
  consumers.startSingles(spec, {
    maxInWork: 10,
    handle: async (word) => {
      if (word === 'hopeless') throw NO_TEXT;
      return word === 'bad' ? { kind: 'reject', reason: 'it is bad' } : ACK;
    },
  });
  await publish('unreadable', 'hopeless', 'bad', 'good');
  await settled(spec);
  expect(kept.sort()).toEqual(['bad: it is bad', 'hopeless: no text', 'unreadable: it is no word']);
});

it('gives a batch back in an outage, and does not look for one message at fault', async () => {
  const { spec, publish } = await aStream();
  let isAway = true;
  const done: string[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  consumers.startBatches(spec, {
    ...{ maxBatch: 10, lanes: 1 },
    handleBatch: async (words) => {
      await released;
      if (isAway && words.length === 2) {
        isAway = false;
        throw AWAY;
      }
      done.push(...words);
      return words.map(() => ACK);
    },
  });
  await publish('first');
  await eventually('the first is in work', () => reads.length === 1);
  await publish('a', 'b');
  await eventually('the others wait for it together', () => reads.length === 3);
  release();
  await settled(spec);
  // Both were delivered again.
  expect([done.sort(), reads.sort(), kept]).toEqual([['a', 'b', 'first'], ['a', 'a', 'b', 'b', 'first'], []]);
});

it('stops all consumers together, once what is in work is done', async () => {
  const [one, other] = [await aStream(), await aStream()];
  const done: string[] = [];
  let release = (): void => undefined;
  let begun = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  const handle = async (word: string) => {
    begun++;
    await released;
    done.push(word);
    return ACK;
  };
  consumers.startSingles(one.spec, { maxInWork: 4, handle });
  consumers.startSingles(other.spec, { maxInWork: 4, handle });
  await Promise.all([one.publish('of one'), other.publish('of the other')]);
  await eventually('both are in work', () => begun === 2);
  const stopped = consumers.stop();
  release();
  await stopped;
  expect(done.sort()).toEqual(['of one', 'of the other']);
  await Promise.all([one.publish('too late'), other.publish('too late')]);
  const { num_pending } = await manager.consumers.info(one.spec.stream, one.spec.durable);
  expect([num_pending, begun]).toEqual([1, 2]);
});

it('does not fail where nobody is there who could answer a dock', async () => {
  const fact: DockFact = {
    ...{ v: 1, sn: 'D', topic: 'thing/product/D/events', channel: 'events', method: 'irrelevant', tid: 't', bid: 'b' },
    ...{ timestampMs: 0, receivedAtMs: 0, needReply: true, gateway: null, data: {}, raw: '{}' },
  };
  await expect(answerDock(connection, logger, fact, { result: 0 })).resolves.toBeUndefined();
});
