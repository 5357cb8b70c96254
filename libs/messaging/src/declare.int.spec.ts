import { randomUUID } from 'node:crypto';
import type { ConsumerSpec, StreamSpec } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { testEnvironment } from '@aerie/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connectNats } from './connection.js';
import { declareConsumer, declareStream } from './declare.js';

const id = randomUUID().slice(0, 8);
const stream: StreamSpec = {
  name: `DECLARE_${id}`,
  subjects: [`declare.${id}.>`],
  retention: 'interest',
  discard: 'new',
  maxBytes: 1_000_000,
  maxAgeMs: 3_600_000,
  maxMessageBytes: 10_000,
};
const consumer: ConsumerSpec = {
  stream: stream.name,
  durable: 'reader',
  filterSubjects: [`declare.${id}.one.>`],
  ackWaitMs: 5_000,
  maxAckPending: 10,
};

let connection: NatsConnection;
let manager: JetStreamManager;
beforeAll(async () => {
  connection = await connectNats(testEnvironment().natsUrl, 'declare-spec', createLogger('declare-spec', 'silent'));
  manager = await jetstreamManager(connection);
}, 30_000);
afterAll(async () => {
  await manager.streams.delete(stream.name).catch(() => undefined);
  await connection.close();
}, 30_000);

it('declares a stream and a consumer again without changing anything', async () => {
  for (let times = 0; times < 2; times++) {
    await declareStream(manager, stream);
    await declareConsumer(manager, consumer);
  }
  const { config } = await manager.consumers.info(stream.name, consumer.durable);
  expect(config).toMatchObject({ ack_wait: 5_000_000_000, max_deliver: -1, max_ack_pending: 10 });
});

it('changes a consumer of an earlier release in place', async () => {
  await declareStream(manager, stream);
  await declareConsumer(manager, consumer);
  const subjects = [`declare.${id}.one.>`, `declare.${id}.two.>`];
  await declareConsumer(manager, { ...consumer, filterSubjects: subjects, ackWaitMs: 7_000 });
  const { config } = await manager.consumers.info(stream.name, consumer.durable);
  expect(config).toMatchObject({ ack_wait: 7_000_000_000, filter_subjects: subjects });
});
