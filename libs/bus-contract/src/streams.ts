/** A JetStream stream as we declare it; `messaging` turns it into the server's terms. Kept free of any client library. */
export interface StreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
  /** `interest`: what all consumers have acknowledged is gone. `limits`: kept until a limit. */
  readonly retention: 'interest' | 'limits';
  /** `new`: a full stream refuses, which is back-pressure. `old`: a full stream forgets its oldest. */
  readonly discard: 'new' | 'old';
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxMessageBytes: number;
}

export interface ConsumerSpec {
  readonly stream: string;
  readonly durable: string;
  /** The program that handles it. What one of its durables no longer wants, another of the same program must want. */
  readonly service: 'mission' | 'fleet' | 'credential' | 'log';
  readonly filterSubjects: readonly string[];
  /** How long one message may be worked on before it is delivered again. Renewed while the handler works. */
  readonly ackWaitMs: number;
  /** Messages in work at once, over all replicas. */
  readonly maxAckPending: number;
}

const MEBIBYTE = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** A dock message is at most 256 KiB; normalised and raw side by side, plus escapes. */
const MAX_UPLINK_BYTES = 1000 * 1024;

/** Control messages of docks. Interest retention and discard new: full means PUBACK waits, never that one is lost. */
export const DOCK_STREAM: StreamSpec = {
  name: 'DOCK',
  subjects: ['dock.v1.>'],
  retention: 'interest',
  discard: 'new',
  maxBytes: 256 * MEBIBYTE,
  maxAgeMs: 72 * HOUR_MS,
  maxMessageBytes: MAX_UPLINK_BYTES,
};

/** Facts of our own, for other services, streams to browsers and webhooks. The outboxes keep them longer. */
export const FACTS_STREAM: StreamSpec = {
  name: 'FACTS',
  subjects: ['mission.v1.*.*', 'log.v1.*.*', 'fleet.v1.*.*'],
  retention: 'limits',
  discard: 'old',
  maxBytes: 256 * MEBIBYTE,
  maxAgeMs: 72 * HOUR_MS,
  maxMessageBytes: 256 * 1024,
};

/** Uplinks that could not be read, with the reason, so that they can be replayed after a fix. */
export const DEAD_LETTER_STREAM: StreamSpec = {
  name: 'DEAD',
  subjects: ['dead.v1.*'],
  retention: 'limits',
  discard: 'old',
  maxBytes: 64 * MEBIBYTE,
  maxAgeMs: 30 * 24 * HOUR_MS,
  maxMessageBytes: 512 * 1024,
};

export const STREAMS: readonly StreamSpec[] = [DOCK_STREAM, FACTS_STREAM, DEAD_LETTER_STREAM];

export const MISSION_DOCK_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'mission',
  service: 'mission',
  filterSubjects: ['dock.v1.mission.>', 'dock.v1.any.>'],
  ackWaitMs: 5_000,
  maxAckPending: 256,
};

export const FLEET_DOCK_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'fleet',
  service: 'fleet',
  filterSubjects: ['dock.v1.fleet.>', 'dock.v1.none.>'],
  ackWaitMs: 5_000,
  maxAckPending: 256,
};

export const CREDENTIAL_DOCK_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'credential',
  service: 'credential',
  filterSubjects: ['dock.v1.credential.>'],
  // Longer than the provider may take.
  ackWaitMs: 15_000,
  maxAckPending: 512,
};

export const LOG_DOCK_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'log',
  service: 'log',
  filterSubjects: ['dock.v1.log.>', 'dock.v1.any.>'],
  ackWaitMs: 5_000,
  maxAckPending: 256,
};

/** What log-service wants to know of missions: how they end, and which of them need a dock that exports logs. */
export const LOG_FACTS_CONSUMER: ConsumerSpec = {
  stream: FACTS_STREAM.name,
  durable: 'log-facts',
  service: 'log',
  filterSubjects: ['mission.v1.*.stateChanged', 'mission.v1.*.dockNeeded'],
  ackWaitMs: 5_000,
  maxAckPending: 256,
};

/**
 * Every durable consumer there is. With interest retention a message without a consumer is gone at once, so all of
 * them are declared before the first ingress subscribes.
 */
export const CONSUMERS: readonly ConsumerSpec[] = [
  MISSION_DOCK_CONSUMER,
  FLEET_DOCK_CONSUMER,
  CREDENTIAL_DOCK_CONSUMER,
  LOG_DOCK_CONSUMER,
  LOG_FACTS_CONSUMER,
];

/** All streams and consumers of one release. */
export interface Topology {
  /**
   * Grows with each release that changes a stream or a consumer. It is kept with each stream and consumer, so that a
   * replica of an older release does not write over what a newer one declared. The first release kept none: that is 0.
   */
  readonly number: number;
  readonly streams: readonly StreamSpec[];
  readonly consumers: readonly ConsumerSpec[];
}

export const TOPOLOGY: Topology = { number: 1, streams: STREAMS, consumers: CONSUMERS };
