import { randomUUID } from 'node:crypto';
import type { ConsumerSpec, StreamSpec, Topology } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { testEnvironment } from '@aerie/testing';
import { AckPolicy, DeliverPolicy, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connectNats } from './connection.js';
import { declareConsumer, declareStream, declareTopology, narrowTopology } from './declare.js';

let connection: NatsConnection;
let manager: JetStreamManager;
const opened: string[] = [];

beforeAll(async () => {
  connection = await connectNats(testEnvironment().natsUrl, 'declare-spec', createLogger('declare-spec', 'silent'));
  manager = await jetstreamManager(connection);
}, 30_000);
afterAll(async () => {
  for (const name of opened) await manager.streams.delete(name).catch(() => undefined);
  await connection.close();
}, 30_000);

/** A stream of its own for one test. Its subjects are uplinks of docks behind a prefix that no other test uses. */
function aStream() {
  const id = randomUUID().slice(0, 8);
  const name = `DECLARE_${id}`;
  opened.push(name);
  const stream: StreamSpec = {
    name,
    subjects: [`declare.${id}.>`],
    retention: 'interest',
    discard: 'new',
    maxBytes: 1_000_000,
    maxAgeMs: 3_600_000,
    maxMessageBytes: 10_000,
  };
  const consumer = (durable: string, ...filters: string[]): ConsumerSpec => ({
    stream: name,
    durable,
    service: 'mission',
    filterSubjects: filters.map((filter) => `declare.${id}.${filter}`),
    ackWaitMs: 5_000,
    maxAckPending: 10,
  });
  const topology = (number: number, ...consumers: ConsumerSpec[]): Topology => ({
    number,
    streams: [stream],
    consumers,
    retired: [],
    restored: [],
  });
  return {
    stream,
    consumer,
    topology,
    store: async (subject: string, count = 3) => {
      for (let index = 0; index < count; index++) await jetstream(connection).publish(`declare.${id}.${subject}`, 'x');
    },
    stored: async () => (await manager.streams.info(name)).state.messages,
    filtersOf: async (durable: string) => (await manager.consumers.info(name, durable)).config.filter_subjects,
    /** Reads and acknowledges all that a consumer has, as the program of its release would. */
    read: async (durable: string): Promise<number> => {
      const consumer_ = await jetstream(connection).consumers.get(name, durable);
      let read = 0;
      for (;;) {
        const { num_pending } = await manager.consumers.info(name, durable);
        if (num_pending === 0) return read;
        for await (const message of await consumer_.fetch({ max_messages: num_pending, expires: 2_000 })) {
          await message.ackAck();
          read++;
        }
      }
    },
    /** What the first release does at each start: it writes its own settings over whatever is there. */
    declareAsFirstRelease: async (...consumers: ConsumerSpec[]) => {
      for (const { durable, filterSubjects } of consumers) {
        const config = {
          durable_name: durable,
          filter_subjects: [...filterSubjects],
          ack_policy: AckPolicy.Explicit,
          deliver_policy: DeliverPolicy.All,
        };
        await manager.consumers.add(name, config).catch(() => manager.consumers.update(name, durable, config));
      }
    },
  };
}

it('declares a stream and a consumer again without changing anything', async () => {
  const { stream, consumer } = aStream();
  const reader = consumer('reader', 'one.>');
  for (let times = 0; times < 2; times++) {
    await declareStream(manager, stream, 1);
    await declareConsumer(manager, reader, 1);
  }
  const { config } = await manager.consumers.info(stream.name, 'reader');
  expect(config).toMatchObject({ ack_wait: 5_000_000_000, max_deliver: -1, max_ack_pending: 10 });
});

it('changes the settings of a consumer of an earlier release in place, and widens its filter', async () => {
  const { stream, consumer, filtersOf } = aStream();
  await declareStream(manager, stream, 1);
  await declareConsumer(manager, consumer('reader', 'one.>'), 1);
  const wider = { ...consumer('reader', 'two.>'), ackWaitMs: 7_000 };
  await declareConsumer(manager, wider, 2);
  expect((await manager.consumers.info(stream.name, 'reader')).config.ack_wait).toBe(7_000_000_000);
  expect(await filtersOf('reader')).toEqual([...consumer('x', 'one.>').filterSubjects, ...wider.filterSubjects]);
});

it('changes nothing of a consumer that a newer release has declared', async () => {
  const { stream, consumer, filtersOf } = aStream();
  await declareStream(manager, stream, 1);
  const newer = { ...consumer('reader', 'one.>'), ackWaitMs: 7_000 };
  await declareConsumer(manager, newer, 2);
  await declareConsumer(manager, consumer('reader', 'one.>', 'two.>'), 1);
  expect((await manager.consumers.info(stream.name, 'reader')).config.ack_wait).toBe(7_000_000_000);
  expect(await filtersOf('reader')).toEqual(newer.filterSubjects);
});

it('never makes a limit of a stream smaller', async () => {
  const { stream } = aStream();
  await declareStream(manager, stream, 1);
  await declareStream(manager, { ...stream, maxBytes: 500_000, maxAgeMs: 1_000, maxMessageBytes: 20_000 }, 2);
  expect((await manager.streams.info(stream.name)).config).toMatchObject({
    max_bytes: 1_000_000,
    max_age: 3_600_000 * 1_000_000,
    max_msg_size: 20_000,
  });
});

it('keeps what is stored when a replica of an older release declares a narrower filter', async () => {
  const { topology, consumer, store, stored } = aStream();
  const older = topology(1, consumer('fleet', 'one.>'));
  await declareTopology(connection, older);
  await declareTopology(connection, topology(2, consumer('fleet', 'one.>', 'two.>')));
  await store('two.a');
  expect(await declareTopology(connection, older)).toEqual([older.streams[0]?.name]);
  expect(await stored()).toBe(3);
});

it('keeps what is stored when a subject moves to another consumer', async () => {
  const { topology, consumer, store, stored, read } = aStream();
  await declareTopology(connection, topology(1, consumer('wide', 'one.>', 'two.>')));
  await store('two.a');
  await declareTopology(connection, topology(2, consumer('wide', 'one.>'), consumer('late', 'two.>')));
  expect(await stored()).toBe(3);
  expect(await read('late')).toBe(3);
});

it('hands every message to each release while an upgrade goes forward, back, and forward again', async () => {
  const { topology, consumer, store, stored, read, declareAsFirstRelease } = aStream();
  const first = [consumer('mission', 'mission.>'), consumer('log', 'log.>')];
  const next = topology(
    2,
    consumer('mission', 'mission.*.events.>'),
    consumer('mission-replies', 'mission.*.replies.>'),
    consumer('log', 'log.>'),
  );
  await declareTopology(connection, topology(0));
  await declareAsFirstRelease(...first);
  const storeAll = async (): Promise<void> => {
    await store('mission.A.events.progress');
    await store('mission.A.replies.prepare');
    await store('log.A.events.progress');
  };
  await storeAll();
  // Forward, and a replica of the first release that connects anew.
  await declareTopology(connection, next);
  await declareAsFirstRelease(...first);
  expect(await stored()).toBe(9);
  expect(await read('mission-replies')).toBe(3);
  await storeAll();
  // Back: the consumers of the newer release are left alone, and those of the first have all of it.
  await declareAsFirstRelease(...first);
  expect([await read('mission'), await read('log')]).toEqual([12, 6]);
  // Forward again: what was stored for the newer consumer meanwhile is still there.
  await declareTopology(connection, next);
  expect(await read('mission-replies')).toBe(3);
  expect(await stored()).toBe(0);
});

describe('narrowing', () => {
  it('takes a subject from a consumer once others of the same program want it, and loses nothing', async () => {
    const { topology, consumer, store, stored, read, filtersOf } = aStream();
    await declareTopology(connection, topology(1, consumer('wide', 'one.>', 'two.>')));
    await store('two.a');
    const next = topology(2, consumer('wide', 'one.>'), consumer('late', 'two.>'));
    await declareTopology(connection, next);
    expect(await filtersOf('wide')).toHaveLength(2);
    const [dropped] = consumer('x', 'two.>').filterSubjects;
    expect(await narrowTopology(connection, next)).toEqual([
      { stream: next.streams[0]?.name, durable: 'wide', dropped: [dropped], refusal: null },
    ]);
    expect(await filtersOf('wide')).toEqual(consumer('x', 'one.>').filterSubjects);
    expect(await stored()).toBe(3);
    expect(await read('late')).toBe(3);
    expect(await stored()).toBe(0);
  });

  it('refuses to drop a subject that no other consumer of the program wants', async () => {
    const { topology, consumer, store, stored } = aStream();
    await declareTopology(connection, topology(1, consumer('wide', 'one.>', 'two.>')));
    await store('two.a');
    const foreign: ConsumerSpec = { ...consumer('other', 'two.>'), service: 'log' };
    const narrowings = await narrowTopology(connection, topology(2, consumer('wide', 'one.>'), foreign));
    expect(narrowings).toMatchObject([
      { durable: 'wide', refusal: expect.stringContaining('no other consumer of mission') },
    ]);
    expect(await stored()).toBe(3);
  });

  it('changes nothing where nothing is wider than declared', async () => {
    const { topology, consumer } = aStream();
    const only = topology(1, consumer('reader', 'one.>'));
    await declareTopology(connection, only);
    expect(await narrowTopology(connection, only)).toEqual([]);
  });
});

it('declares for replicas of two releases at the same instant, and the wider one stands', async () => {
  const { topology, consumer, filtersOf, stream } = aStream();
  const older = topology(1, consumer('reader', 'one.>'));
  const newer = topology(2, consumer('reader', 'one.>', 'two.>'), consumer('late', 'three.>'));
  await Promise.all([older, newer, older, newer].map((each) => declareTopology(connection, each)));
  await declareTopology(connection, newer);
  expect(await filtersOf('reader')).toHaveLength(2);
  expect((await manager.streams.info(stream.name)).config.metadata).toMatchObject({ 'aerie.topology': '2' });
});
