import { CONSUMERS, type ConsumerSpec, STREAMS, type StreamSpec } from '@aerie/bus-contract';
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from './connection.js';

const NANOS_PER_MS = 1_000_000;
const STREAM_NOT_FOUND = 10_059;
const CONSUMER_EXISTS = 10_148;

/**
 * Creates or updates every stream and consumer of bus-contract. Safe to call from every replica of every service at
 * any time, so a JetStream that was wiped is whole again as soon as anybody calls this.
 */
export async function declareTopology(connection: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(connection);
  for (const stream of STREAMS) await declareStream(manager, stream);
  for (const consumer of CONSUMERS) await declareConsumer(manager, consumer);
}

export async function declareStream(manager: JetStreamManager, spec: StreamSpec): Promise<void> {
  const config: Partial<StreamConfig> & { name: string } = {
    name: spec.name,
    subjects: [...spec.subjects],
    storage: StorageType.File,
    retention: spec.retention === 'interest' ? RetentionPolicy.Interest : RetentionPolicy.Limits,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    max_bytes: spec.maxBytes,
    max_age: spec.maxAgeMs * NANOS_PER_MS,
    max_msg_size: spec.maxMessageBytes,
    // Only the ingress's own retries of one store need it, and those end within seconds.
    duplicate_window: 120_000 * NANOS_PER_MS,
  };
  try {
    await manager.streams.update(spec.name, config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error;
    await manager.streams.add(config);
  }
}

export async function declareConsumer(manager: JetStreamManager, spec: ConsumerSpec): Promise<void> {
  const config: Partial<ConsumerConfig> & { durable_name: string } = {
    durable_name: spec.durable,
    filter_subjects: [...spec.filterSubjects],
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: spec.ackWaitMs * NANOS_PER_MS,
    max_ack_pending: spec.maxAckPending,
    // A message that cannot be handled is rejected by us, counted and kept; the server must never strand one silently.
    max_deliver: -1,
  };
  try {
    await manager.consumers.add(spec.stream, config);
  } catch (error) {
    // It is there with other settings, from another release: changed in place, its position stays.
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS) throw error;
    await manager.consumers.update(spec.stream, spec.durable, config);
  }
}
