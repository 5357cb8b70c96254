import {
  type ConsumerSpec,
  MISSION_EVENTS_CONSUMER,
  MISSION_REPLIES_CONSUMER,
  STREAMS,
  type StreamSpec,
} from '@aerie/bus-contract';
import { jest } from '@jest/globals';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { type ConsumerInfo, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connectNats } from './connection.js';
import { ACK, type ConsumeOptions, type ConsumerHandle, type Delivery, type Verdict, consume } from './consume.js';
import { Backlog } from './backlog.js';
import { declareConsumer, declareStream, declareTopology } from './declare.js';
import { JetStreamPublisher } from './publish.js';
import { Refusals } from './refusals.js';

const logger = createLogger('test', 'silent');
jest.setTimeout(40_000);

let nats: PrivateServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let publisher: JetStreamPublisher;
const handles: ConsumerHandle[] = [];
let names = 0;

beforeAll(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'consume-spec', logger);
  manager = await jetstreamManager(connection);
  publisher = new JetStreamPublisher(connection, 2_000);
});

afterEach(() => Promise.all(handles.splice(0).map((handle) => handle.stop(2_000))));

afterAll(async () => {
  await connection?.close();
  await nats?.remove();
});

/** A stream of its own with one consumer, for one test. */
async function aStream(
  given: Partial<StreamSpec> = {},
  consumerGiven: Partial<ConsumerSpec> = {},
  sns: readonly string[] = [],
) {
  const name = `S${++names}`;
  // The serial number stands where it does in the subject of an uplink.
  const subjectOf = (sn: string): string => `${name.toLowerCase()}.v1.thing.${sn}`;
  const subject = subjectOf('D');
  const subjects = [subject, ...sns.map(subjectOf)];
  const stream: StreamSpec = {
    name,
    subjects,
    retention: 'interest',
    discard: 'new',
    maxBytes: 1_000_000,
    maxAgeMs: 3_600_000,
    maxMessageBytes: 10_000,
    ...given,
  };
  const spec: ConsumerSpec = {
    stream: name,
    durable: 'worker',
    service: 'mission',
    filterSubjects: subjects,
    ackWaitMs: 1_000,
    maxAckPending: 100,
    ...consumerGiven,
  };
  await declareStream(manager, stream, 1);
  await declareConsumer(manager, spec, 1);
  return { spec, publish: (body: string, sn = 'D') => publisher.store(subjectOf(sn), body, `${name}-${body}`) };
}

/** Handles each message by itself. */
function work(
  spec: ConsumerSpec,
  handle: (delivery: Delivery) => Promise<Verdict>,
  more: Partial<ConsumeOptions<Delivery>> = {},
): ConsumerHandle {
  return workInBatches(spec, async (deliveries) => deliveries.map(handle), more);
}

function workInBatches(
  spec: ConsumerSpec,
  handleBatch: ConsumeOptions<Delivery>['handleBatch'],
  more: Partial<ConsumeOptions<Delivery>> = {},
): ConsumerHandle {
  const handle = consume<Delivery>({
    connection,
    spec,
    maxInWork: 100,
    maxBatch: 50,
    lanes: 2,
    logger,
    read: (delivery) => delivery,
    handleBatch,
    keepRejected: () => Promise.reject(new Error('nothing is rejected here')),
    ...more,
  });
  handles.push(handle);
  return handle;
}

const infoOf = (spec: ConsumerSpec): Promise<ConsumerInfo> => manager.consumers.info(spec.stream, spec.durable);
const textOf = ({ body }: Delivery): string => new TextDecoder().decode(body);
const settled = (spec: ConsumerSpec) =>
  eventually('everything is acknowledged', async () => {
    // A message that was stored this instant is counted by the consumer a little later.
    const { last_seq } = (await manager.streams.info(spec.stream)).state;
    const { num_pending, num_ack_pending, delivered } = await infoOf(spec);
    return delivered.stream_seq >= last_seq && num_pending + num_ack_pending === 0;
  });

/** A handler that waits until it is let go. */
function held() {
  let release = (): void => undefined;
  let begun = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    handle: async () => {
      begun++;
      await released;
      return ACK;
    },
    release: () => release(),
    begun: () => begun,
  };
}

describe('the backlog', () => {
  it('is handled once everything that was stored before is acknowledged, whatever comes meanwhile', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    work(spec, handler.handle);
    await publish('a');
    await eventually('the handler has begun', () => handler.begun() > 0);
    const backlog = new Backlog(connection, [spec]);
    expect(await backlog.handledUntilNow(200)).toBe(false);
    const waiting = backlog.handledUntilNow(5_000);
    handler.release();
    expect(await waiting).toBe(true);
  });

  it('is handled where nothing was ever stored', async () => {
    const { spec } = await aStream();
    expect(await new Backlog(connection, [spec]).handledUntilNow(200)).toBe(true);
  });

  it('is not handled as far as anybody knows, when there is no such consumer', async () => {
    expect(await new Backlog(connection, [{ stream: 'NONE', durable: 'nobody' }]).handledUntilNow(200)).toBe(false);
  });
});

describe('consume', () => {
  it('acknowledges nothing while the handler works', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    work(spec, handler.handle);
    await publish('a');
    await eventually('the handler has begun', () => handler.begun() > 0);
    expect(await infoOf(spec)).toMatchObject({ num_ack_pending: 1, ack_floor: { consumer_seq: 0 } });
    handler.release();
  });

  it('acknowledges after the handler', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    work(spec, handler.handle);
    await publish('a');
    await eventually('the handler has begun', () => handler.begun() > 0);
    handler.release();
    await settled(spec);
    expect(handler.begun()).toBe(1);
  });

  it('keeps a message to itself for as long as the handler works', async () => {
    const { spec, publish } = await aStream({}, { ackWaitMs: 600 });
    const handler = held();
    work(spec, handler.handle);
    const startedMs = Date.now();
    await publish('a');
    await eventually('three times the wait for an acknowledgement has passed', () => Date.now() - startedMs > 1_800);
    handler.release();
    await settled(spec);
    expect(handler.begun()).toBe(1);
  });

  it('delivers again what is to be tried again', async () => {
    const { spec, publish } = await aStream();
    const counts: number[] = [];
    work(spec, async ({ deliveryCount }) => {
      counts.push(deliveryCount);
      return deliveryCount < 3 ? { kind: 'retry', afterMs: 10 } : ACK;
    });
    await publish('a');
    await eventually('it came three times', () => counts.length === 3);
    await settled(spec);
    expect(counts).toEqual([1, 2, 3]);
  });

  it('delivers again what a handler threw at', async () => {
    const { spec, publish } = await aStream();
    const counts: number[] = [];
    work(spec, async ({ deliveryCount }) => {
      counts.push(deliveryCount);
      if (deliveryCount === 1) throw new Error('the database is away');
      return ACK;
    });
    await publish('a');
    await eventually('it came twice', () => counts.length === 2);
    await settled(spec);
    expect(counts).toEqual([1, 2]);
  });

  it('keeps what is rejected with its reason, and does not deliver it again', async () => {
    const { spec, publish } = await aStream();
    const kept: string[] = [];
    let handled = 0;
    work(
      spec,
      async () => {
        handled++;
        return { kind: 'reject', reason: 'nobody knows it' };
      },
      { keepRejected: async (delivery, reason) => void kept.push(`${textOf(delivery)}: ${reason}`) },
    );
    await publish('a');
    await eventually('it is kept', () => kept.length === 1);
    await settled(spec);
    expect([kept, handled]).toEqual([['a: nobody knows it'], 1]);
  });

  it('keeps a message whose error lies in itself, and tries again after every other error', async () => {
    const { spec, publish } = await aStream();
    const kept: string[] = [];
    let tries = 0;
    work(
      spec,
      async (delivery) => {
        if (textOf(delivery) === 'poison') throw new RangeError('out of range');
        if (++tries === 1) throw new Error('the database is away');
        return ACK;
      },
      {
        isHopeless: (error) => error instanceof RangeError,
        keepRejected: async (delivery, reason) => void kept.push(`${textOf(delivery)}: ${reason}`),
      },
    );
    await publish('poison');
    await publish('good');
    await settled(spec);
    expect([kept, tries]).toEqual([['poison: out of range'], 2]);
  });

  it('keeps a message that cannot be read', async () => {
    const { spec, publish } = await aStream();
    const kept: string[] = [];
    work(spec, async () => ACK, {
      read: (delivery) => {
        JSON.parse(textOf(delivery));
        return delivery;
      },
      keepRejected: async (delivery) => void kept.push(textOf(delivery)),
    });
    await publish('{"broken');
    await publish('{}');
    await settled(spec);
    expect(kept).toEqual(['{"broken']);
  });

  it('delivers a rejected message again when it could not be kept', async () => {
    const { spec, publish } = await aStream();
    let tries = 0;
    work(spec, async () => ({ kind: 'reject', reason: 'x' }), {
      keepRejected: async () => {
        if (++tries === 1) throw new Error('the database is away');
      },
    });
    await publish('a');
    await eventually('it was kept at the second try', () => tries === 2);
    await settled(spec);
    expect(tries).toBe(2);
  });

  it('is not held up by one message that never succeeds', async () => {
    const { spec, publish } = await aStream();
    const done: string[] = [];
    work(spec, async (delivery) => {
      if (textOf(delivery) === 'bad') throw new Error('always');
      done.push(textOf(delivery));
      return ACK;
    });
    for (const body of ['bad', 'b', 'c', 'd', 'e', 'f', 'g']) await publish(body);
    await eventually('the others are done', () => done.length === 6);
    await eventually('only the bad one is left', async () => (await infoOf(spec)).num_ack_pending === 1);
  });

  it('has no more in work than it was allowed', async () => {
    const { spec, publish } = await aStream();
    let inWork = 0;
    let most = 0;
    work(
      spec,
      async () => {
        most = Math.max(most, ++inWork);
        await new Promise((resolve) => setImmediate(resolve));
        inWork--;
        return ACK;
      },
      { maxInWork: 3 },
    );
    await Promise.all(Array.from({ length: 50 }, (_, index) => publish(String(index))));
    await settled(spec);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('stops only when the work in hand is done', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    const consumer = work(spec, handler.handle);
    await publish('a');
    await eventually('the handler has begun', () => handler.begun() > 0);
    let stopped = false;
    const stopping = consumer.stop(10_000).then(() => (stopped = true));
    await infoOf(spec);
    expect(stopped).toBe(false);
    handler.release();
    await stopping;
    await settled(spec);
  });

  it('stops after its time even when the work in hand never ends', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    const consumer = work(spec, handler.handle);
    await publish('a');
    await eventually('the handler has begun', () => handler.begun() > 0);
    const startedMs = Date.now();
    await consumer.stop(300);
    expect(Date.now() - startedMs).toBeLessThan(2_000);
    handler.release();
  });

  it('takes nothing new once it stopped', async () => {
    const { spec, publish } = await aStream();
    let handled = 0;
    const consumer = work(spec, async () => {
      handled++;
      return ACK;
    });
    await publish('a');
    await settled(spec);
    await consumer.stop(2_000);
    await publish('b');
    await eventually('it waits in the stream', async () => (await infoOf(spec)).num_pending === 1);
    expect(handled).toBe(1);
  });

  it('lets twice the size of a stream through, because what is acknowledged makes room', async () => {
    const { spec, publish } = await aStream({ maxBytes: 64 * 1024 });
    let bytes = 0;
    work(spec, async ({ body }) => {
      bytes += body.byteLength;
      return ACK;
    });
    for (let index = 0; index < 140; index++) {
      const body = String(index).padEnd(1_000, '.');
      // A full stream refuses: that is back-pressure, and it passes.
      await eventually('there is room', () => publish(body).then(() => true));
    }
    await settled(spec);
    expect(bytes).toBe(140_000);
  });

  it('has a stream refuse what it has no room for, and forget nothing', async () => {
    const { spec, publish } = await aStream({ maxBytes: 16 * 1024 });
    let stored = 0;
    const full = eventually(
      'the stream is full',
      async () => {
        await publish(String(stored).padEnd(1_000, '.'));
        stored++;
        return false;
      },
      200,
    );
    await expect(full).rejects.toMatchObject({ cause: { message: expect.stringContaining('maximum bytes exceeded') } });
    expect((await infoOf(spec)).num_pending).toBe(stored);
  });
});

describe('batches', () => {
  it('hold all that arrived while the one before was in work', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    const sizes: number[] = [];
    workInBatches(spec, async (deliveries) => {
      sizes.push(deliveries.length);
      if (sizes.length === 1) await handler.handle();
      return deliveries.map(() => ACK);
    });
    await publish('first');
    await eventually('the first is in work', () => handler.begun() > 0);
    for (const body of ['a', 'b', 'c', 'd']) await publish(body);
    await eventually('all are taken', async () => (await infoOf(spec)).num_ack_pending === 5);
    handler.release();
    await settled(spec);
    expect(sizes).toEqual([1, 4]);
  });

  it('keep the order of one dock, and let another dock overtake', async () => {
    const { spec, publish } = await aStream({}, {}, ['D1', 'D2']);
    const handler = held();
    const done: string[] = [];
    workInBatches(
      spec,
      async (deliveries) => {
        if (deliveries.some((delivery) => textOf(delivery) === 'D1-0')) await handler.handle();
        done.push(...deliveries.map(textOf));
        return deliveries.map(() => ACK);
      },
      { maxBatch: 3 },
    );
    for (let index = 0; index < 8; index++) {
      for (const sn of ['D1', 'D2']) await publish(`${sn}-${index}`, sn);
    }
    await eventually('the other dock is done', () => done.length === 8 && done.every((body) => body.startsWith('D2')));
    handler.release();
    await settled(spec);
    expect(done.filter((body) => body.startsWith('D1'))).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `D1-${n}`));
  });

  it('that fail are halved down to the message at fault, and every other one is handled once', async () => {
    const { spec, publish } = await aStream();
    for (let index = 0; index < 16; index++) await publish(index === 9 ? 'bad' : String(index));
    const done: string[] = [];
    const kept: string[] = [];
    workInBatches(
      spec,
      async (deliveries) => {
        if (deliveries.some((delivery) => textOf(delivery) === 'bad')) throw new RangeError('out of range');
        done.push(...deliveries.map(textOf));
        return deliveries.map(() => ACK);
      },
      {
        isHopeless: (error) => error instanceof RangeError,
        keepRejected: async (delivery) => void kept.push(textOf(delivery)),
      },
    );
    await settled(spec);
    expect(kept).toEqual(['bad']);
    expect(done).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '10', '11', '12', '13', '14', '15']);
  });

  it('are not halved while a server is away, and come again whole', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    const sizes: number[] = [];
    workInBatches(
      spec,
      async (deliveries) => {
        sizes.push(deliveries.length);
        // What comes meanwhile is the next batch, and that one fails.
        if (sizes.length === 1) await handler.handle();
        if (sizes.length === 2) throw new Error('the database is away');
        return deliveries.map(() => ACK);
      },
      { isOutage: () => true },
    );
    await publish('first');
    await eventually('the first is in work', () => handler.begun() > 0);
    for (let index = 0; index < 8; index++) await publish(String(index));
    await eventually('all are taken', async () => (await infoOf(spec)).num_ack_pending === 9);
    handler.release();
    await settled(spec);
    expect(sizes.slice(0, 2)).toEqual([1, 8]);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1 + 8 + 8);
  });

  it('go on while an answer of an earlier one is still on its way', async () => {
    const { spec, publish } = await aStream();
    const handler = held();
    const done: string[] = [];
    workInBatches(spec, async (deliveries) => {
      done.push(...deliveries.map(textOf));
      return deliveries.map((delivery) => (textOf(delivery) === 'slow' ? handler.handle() : ACK));
    });
    await publish('slow');
    await eventually('the slow one is in work', () => handler.begun() > 0);
    await publish('next');
    await eventually('the next one is handled', () => done.includes('next'));
    await eventually('only the slow one is not acknowledged', async () => (await infoOf(spec)).num_ack_pending === 1);
    handler.release();
    await settled(spec);
  });

  it('keep to themselves what only waits for its batch', async () => {
    const { spec, publish } = await aStream({}, { ackWaitMs: 600 });
    const handler = held();
    let deliveries = 0;
    workInBatches(
      spec,
      async (batch) => {
        deliveries += batch.length;
        await handler.handle();
        return batch.map(() => ACK);
      },
      { maxBatch: 1 },
    );
    const startedMs = Date.now();
    for (const body of ['a', 'b', 'c']) await publish(body);
    await eventually('three times the wait for an acknowledgement has passed', () => Date.now() - startedMs > 1_800);
    handler.release();
    await settled(spec);
    expect(deliveries).toBe(3);
  });

  it('come again where the handler gave a message no verdict', async () => {
    const { spec, publish } = await aStream();
    let times = 0;
    workInBatches(spec, async (deliveries) => (++times === 1 ? [] : deliveries.map(() => ACK)));
    await publish('a');
    await settled(spec);
    expect(times).toBe(2);
  });
});

describe('messages of one dock that keep failing', () => {
  it('are set aside while others succeed, and do not stop another dock', async () => {
    const { spec, publish } = await aStream({}, { maxAckPending: 256 }, ['BAD', 'GOOD']);
    const kept = new Set<string>();
    const done: string[] = [];
    work(
      spec,
      async (delivery) => {
        if (delivery.subject.includes('BAD')) throw new Error('always');
        done.push(textOf(delivery));
        return ACK;
      },
      { keepRejected: async (delivery) => void kept.add(textOf(delivery)), maxInWork: 400 },
    );
    for (let index = 0; index < 60; index++) await publish(`bad-${index}`, 'BAD');
    let goods = 0;
    await eventually(
      'the bad ones are set aside',
      async () => {
        await publish(`good-${goods++}`, 'GOOD');
        return kept.size === 60;
      },
      35_000,
    );
    await settled(spec);
    expect(done).toHaveLength(goods);
  });

  it('are not set aside for an outage, however often they fail while others succeed', async () => {
    const { spec, publish } = await aStream({}, {}, ['AWAY', 'GOOD']);
    const kept: string[] = [];
    let failures = 0;
    let goods = 0;
    let isAway = true;
    work(
      spec,
      async (delivery) => {
        if (!delivery.subject.includes('AWAY') || !isAway) return ACK;
        failures++;
        throw new Error('away');
      },
      { keepRejected: async (delivery) => void kept.push(textOf(delivery)), isOutage: () => true },
    );
    await publish('waits', 'AWAY');
    await eventually(
      'it has failed as often as a bad message may',
      async () => {
        await publish(`good-${goods++}`, 'GOOD');
        return failures >= 8;
      },
      40_000,
    );
    isAway = false;
    await settled(spec);
    expect(kept).toEqual([]);
  }, 60_000);

  it('are tried again for ever while nothing at all succeeds', () => {
    const refusals = new Refusals();
    refusals.succeeded(1);
    expect(Array.from({ length: 50 }, () => refusals.failed(7))).not.toContain(true);
  });

  it('are set aside at the eighth failure with a success before each', () => {
    const refusals = new Refusals();
    const verdicts = Array.from({ length: 8 }, (_, index) => {
      refusals.succeeded(100 + index);
      return refusals.failed(7);
    });
    expect(verdicts.indexOf(true)).toBe(7);
  });
});

describe('a consumer that is wider than this release declares it', () => {
  it('skips what another consumer of the same program has', async () => {
    await declareTopology(connection);
    const wide = { ...MISSION_EVENTS_CONSUMER, filterSubjects: ['dock.v1.mission.>', 'dock.v1.any.>'] };
    await manager.consumers.update(wide.stream, wide.durable, { filter_subjects: [...wide.filterSubjects] });
    const done: string[] = [];
    work(MISSION_EVENTS_CONSUMER, async (delivery) => {
      done.push(textOf(delivery));
      return ACK;
    });
    await publisher.store(`dock.v1.mission.WIDE.replies.flighttask_prepare`, 'reply', 'wide-reply');
    await publisher.store(`dock.v1.mission.WIDE.events.flighttask_progress`, 'event', 'wide-event');
    await settled(MISSION_EVENTS_CONSUMER);
    expect(done).toEqual(['event']);
    expect((await infoOf(MISSION_REPLIES_CONSUMER)).num_pending).toBe(1);
    await manager.streams.purge(wide.stream);
  });
});

describe('a JetStream that fails', () => {
  const subject = (sn: string): string => `dock.v1.mission.${sn}.events.flighttask_progress`;
  const publish = (sn: string) =>
    eventually('it is stored', () => publisher.store(subject(sn), sn, `dock-${sn}`).then(() => true), 20_000);

  it('is consumed again after a restart', async () => {
    await declareTopology(connection);
    const done: string[] = [];
    work(MISSION_EVENTS_CONSUMER, async (delivery) => {
      done.push(textOf(delivery));
      return ACK;
    });
    await publish('BEFORE');
    await eventually('the first came', () => done.includes('BEFORE'));
    await nats.kill();
    await nats.start();
    await publish('AFTER');
    await eventually('the second came', () => done.includes('AFTER'), 20_000);
  });

  it('settles a message that was in work when it was restarted', async () => {
    await declareTopology(connection);
    const handler = held();
    work(MISSION_EVENTS_CONSUMER, handler.handle);
    await publish('IN-WORK');
    await eventually('the handler has begun', () => handler.begun() > 0);
    await nats.kill();
    await nats.start();
    handler.release();
    await eventually(
      'nothing is left',
      async () => {
        const { num_pending, num_ack_pending } = await infoOf(MISSION_EVENTS_CONSUMER);
        return num_pending + num_ack_pending === 0;
      },
      20_000,
    );
    expect(handler.begun()).toBeGreaterThanOrEqual(1);
  });

  it('that has no room for a stream of others is read all the same', async () => {
    const another = await startPrivateNats();
    const own = await connectNats(another.url, 'consume-spec', logger);
    try {
      // The server refuses a stream whose subjects another one has.
      await (await jetstreamManager(own)).streams.add({ name: 'IN-THE-WAY', subjects: ['bulk.v1.log.>'] });
      await expect(declareTopology(own)).rejects.toThrow('BULK_LOG');
      const seen: string[] = [];
      const spec = MISSION_EVENTS_CONSUMER;
      work(spec, async ({ subject }) => (seen.push(subject), ACK), { connection: own });
      const subject = 'dock.v1.mission.D.events.flighttask_progress';
      await new JetStreamPublisher(own, 2_000).store(subject, '{}', 'one');
      await eventually('it is read', () => seen.includes(subject));
      await Promise.all(handles.splice(0).map((handle) => handle.stop(2_000)));
    } finally {
      await own.close();
      await another.remove();
    }
  });

  it('is whole again after all its streams were wiped, without a restart of ours', async () => {
    await declareTopology(connection);
    const done: string[] = [];
    work(MISSION_EVENTS_CONSUMER, async (delivery) => {
      done.push(textOf(delivery));
      return ACK;
    });
    for (const { name } of STREAMS) await manager.streams.delete(name);
    await eventually('the consumer is declared again', () => infoOf(MISSION_EVENTS_CONSUMER), 20_000);
    await publish('AFTER-WIPE');
    await eventually('messages come again', () => done.includes('AFTER-WIPE'), 20_000);
  });

  it('fails a store within its time while it is frozen', async () => {
    await declareTopology(connection);
    await nats.freeze();
    const startedMs = Date.now();
    try {
      const quick = new JetStreamPublisher(connection, 500);
      await expect(quick.store(subject('FROZEN'), 'x', 'frozen')).rejects.toThrow();
      expect(Date.now() - startedMs).toBeLessThan(2_000);
    } finally {
      nats.thaw();
    }
  });
});

describe('declaring the topology', () => {
  it('creates every stream and consumer', async () => {
    await declareTopology(connection);
    expect((await infoOf(MISSION_EVENTS_CONSUMER)).config.filter_subjects).toEqual(
      MISSION_EVENTS_CONSUMER.filterSubjects,
    );
  });

  it('changes nothing when it is done again, also by many at once', async () => {
    await declareTopology(connection);
    const before = (await infoOf(MISSION_EVENTS_CONSUMER)).created;
    await Promise.all([1, 2, 3, 4].map(() => declareTopology(connection)));
    expect((await infoOf(MISSION_EVENTS_CONSUMER)).created).toBe(before);
  });

  it('by many at once on an empty server succeeds for all of them', async () => {
    for (const { name } of STREAMS) await manager.streams.delete(name);
    await Promise.all([1, 2, 3, 4].map(() => declareTopology(connection)));
    expect((await manager.streams.info('DOCK')).config.name).toBe('DOCK');
  });

  it('keeps the position of a consumer', async () => {
    const { spec, publish } = await aStream({ retention: 'limits' });
    await publish('a');
    const consumer = work(spec, () => Promise.resolve(ACK));
    await settled(spec);
    await consumer.stop(1_000);
    await declareConsumer(manager, spec, 1);
    expect((await infoOf(spec)).ack_floor.stream_seq).toBe(1);
  });
});

describe('a store', () => {
  it('that is repeated with its id is kept once', async () => {
    const { spec, publish } = await aStream();
    await publish('same');
    await publish('same');
    expect((await infoOf(spec)).num_pending).toBe(1);
  });

  it('on a subject that no stream holds fails', async () => {
    await expect(publisher.store('nobody.listens', 'x', 'y')).rejects.toThrow();
  });
});
