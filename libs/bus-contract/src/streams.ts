import type { BulkOwner } from './subjects.js';

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

/**
 * What flights, their starts, and docks on their way online wait for. Interest retention and discard new: full means PUBACK waits, never
 * that one is lost.
 */
export const DOCK_STREAM: StreamSpec = {
  name: 'DOCK',
  subjects: ['dock.v1.>'],
  retention: 'interest',
  discard: 'new',
  maxBytes: 256 * MEBIBYTE,
  maxAgeMs: 72 * HOUR_MS,
  maxMessageBytes: MAX_UPLINK_BYTES,
};

/**
 * What no flight waits for: one stream for each program that reads it, so that one that stands still fills its own alone.
 * Full, it refuses; what it refuses goes to the overflow, and PUBACK does not wait.
 */
const bulkStream = (name: string, owners: readonly BulkOwner[], maxBytes: number): StreamSpec => ({
  ...DOCK_STREAM,
  name,
  subjects: owners.map((owner) => `bulk.v1.${owner}.>`),
  maxBytes,
});
export const BULK_FLEET_STREAM = bulkStream('BULK_FLEET', ['fleet', 'none'], 128 * MEBIBYTE);
export const BULK_LOG_STREAM = bulkStream('BULK_LOG', ['log'], 64 * MEBIBYTE);
export const BULK_CREDENTIAL_STREAM = bulkStream('BULK_CREDENTIAL', ['credential'], 64 * MEBIBYTE);

/**
 * What a full bulk stream refused, as it would have been stored there, so that it can be stored again. Full, it refuses
 * too: then what docks say is counted and left out.
 */
export const OVERFLOW_STREAM: StreamSpec = {
  name: 'OVERFLOW',
  subjects: ['overflow.v1.>'],
  retention: 'limits',
  discard: 'new',
  maxBytes: 128 * MEBIBYTE,
  maxAgeMs: 30 * 24 * HOUR_MS,
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

export const STREAMS: readonly StreamSpec[] = [
  DOCK_STREAM,
  BULK_FLEET_STREAM,
  BULK_LOG_STREAM,
  BULK_CREDENTIAL_STREAM,
  OVERFLOW_STREAM,
  FACTS_STREAM,
  DEAD_LETTER_STREAM,
];

/**
 * Messages in work at once over all replicas. A message that keeps failing stays in work until it is set aside, so this
 * is far above what one dock can fill in that time.
 */
const MAX_ACK_PENDING = 4_096;

/** What docks report about flights. Progress is most of it, so nothing that a deadline waits for is in this lane. */
export const MISSION_EVENTS_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'mission',
  service: 'mission',
  filterSubjects: ['dock.v1.mission.*.events.>', 'dock.v1.mission.*.status.>', 'dock.v1.mission.*.state.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
};

/**
 * Replies to commands, and requests that a dock repeats after two seconds: they never wait behind events. `any`: so an
 * ingress of the release before stores replies without a method.
 */
export const MISSION_REPLIES_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'mission-replies',
  service: 'mission',
  filterSubjects: ['dock.v1.mission.*.replies.>', 'dock.v1.mission.*.requests.>', 'dock.v1.any.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
};

export const FLEET_EVENTS_CONSUMER: ConsumerSpec = {
  stream: BULK_FLEET_STREAM.name,
  durable: 'fleet',
  service: 'fleet',
  filterSubjects: ['bulk.v1.fleet.>', 'bulk.v1.none.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
};

/** What a dock tells once, when it changes; starts are decided by it. */
export const FLEET_STATE_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'fleet-state',
  service: 'fleet',
  filterSubjects: ['dock.v1.fleet.*.state.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
};

/** What a dock needs an answer to before it is online: topology, binding, configuration. */
export const FLEET_REQUESTS_CONSUMER: ConsumerSpec = {
  stream: DOCK_STREAM.name,
  durable: 'fleet-requests',
  service: 'fleet',
  filterSubjects: ['dock.v1.fleet.*.requests.>', 'dock.v1.fleet.*.status.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
};

/** Longer than the provider may take. */
const CREDENTIAL_ACK_WAIT_MS = 15_000;

export const CREDENTIAL_EVENTS_CONSUMER: ConsumerSpec = {
  stream: BULK_CREDENTIAL_STREAM.name,
  durable: 'credential',
  service: 'credential',
  filterSubjects: [
    'bulk.v1.credential.*.events.>',
    'bulk.v1.credential.*.replies.>',
    'bulk.v1.credential.*.status.>',
    'bulk.v1.credential.*.state.>',
  ],
  ackWaitMs: CREDENTIAL_ACK_WAIT_MS,
  maxAckPending: MAX_ACK_PENDING,
};

/** Docks that wait for upload keys. */
export const CREDENTIAL_REQUESTS_CONSUMER: ConsumerSpec = {
  stream: BULK_CREDENTIAL_STREAM.name,
  durable: 'credential-requests',
  service: 'credential',
  filterSubjects: ['bulk.v1.credential.*.requests.>'],
  ackWaitMs: CREDENTIAL_ACK_WAIT_MS,
  maxAckPending: MAX_ACK_PENDING,
};

export const LOG_EVENTS_CONSUMER: ConsumerSpec = {
  stream: BULK_LOG_STREAM.name,
  durable: 'log',
  service: 'log',
  filterSubjects: ['bulk.v1.log.*.events.>', 'bulk.v1.log.*.status.>', 'bulk.v1.log.*.state.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
};

export const LOG_REPLIES_CONSUMER: ConsumerSpec = {
  stream: BULK_LOG_STREAM.name,
  durable: 'log-replies',
  service: 'log',
  filterSubjects: ['bulk.v1.log.*.replies.>', 'bulk.v1.log.*.requests.>'],
  ackWaitMs: 5_000,
  maxAckPending: MAX_ACK_PENDING,
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
  MISSION_EVENTS_CONSUMER,
  MISSION_REPLIES_CONSUMER,
  FLEET_EVENTS_CONSUMER,
  FLEET_STATE_CONSUMER,
  FLEET_REQUESTS_CONSUMER,
  CREDENTIAL_EVENTS_CONSUMER,
  CREDENTIAL_REQUESTS_CONSUMER,
  LOG_EVENTS_CONSUMER,
  LOG_REPLIES_CONSUMER,
  LOG_FACTS_CONSUMER,
];

/** A consumer of the release before, in stream DOCK, of what this release stores in a stream of its own. */
const retired = (service: ConsumerSpec['service'], durable: string, ...filterSubjects: string[]): ConsumerSpec => ({
  stream: DOCK_STREAM.name,
  ...{ durable, service, filterSubjects },
  ackWaitMs: service === 'credential' ? CREDENTIAL_ACK_WAIT_MS : 5_000,
  maxAckPending: MAX_ACK_PENDING,
});

/**
 * For what an ingress of the release before stores. They are read, and declared, until somebody narrows the topology:
 * without them a JetStream that is wiped in the middle of an upgrade would drop what the older ingress stores. `fleet`
 * wants no state where it is declared anew, since `fleet-state` reads it from either release.
 */
export const RETIRED_CONSUMERS: readonly ConsumerSpec[] = [
  retired('fleet', 'fleet', 'dock.v1.fleet.*.events.>', 'dock.v1.fleet.*.replies.>', 'dock.v1.none.>'),
  retired(
    'credential',
    'credential',
    'dock.v1.credential.*.events.>',
    'dock.v1.credential.*.replies.>',
    'dock.v1.credential.*.status.>',
    'dock.v1.credential.*.state.>',
  ),
  retired('credential', 'credential-requests', 'dock.v1.credential.*.requests.>'),
  retired('log', 'log', 'dock.v1.log.*.events.>', 'dock.v1.log.*.status.>', 'dock.v1.log.*.state.>'),
  retired('log', 'log-replies', 'dock.v1.log.*.replies.>', 'dock.v1.log.*.requests.>', 'dock.v1.any.>'),
];

export const retiredConsumersOf = (service: ConsumerSpec['service']): readonly ConsumerSpec[] =>
  RETIRED_CONSUMERS.filter((consumer) => consumer.service === service);

/** The same as the release before wants them, for a step back: it reads state through `fleet`, as all else of its kind. */
export const RESTORED_CONSUMERS: readonly ConsumerSpec[] = RETIRED_CONSUMERS.map((consumer) =>
  consumer.durable === 'fleet'
    ? { ...consumer, filterSubjects: [...consumer.filterSubjects, ...FLEET_STATE_CONSUMER.filterSubjects] }
    : consumer,
);

/**
 * Consumers in stream DOCK that release 0.1.0 does not have: it reads everything of a program through one. After a step back
 * nobody reads these, and the stream would fill with what they want.
 */
export const UNKNOWN_BEFORE: readonly ConsumerSpec[] = [
  MISSION_REPLIES_CONSUMER,
  FLEET_STATE_CONSUMER,
  FLEET_REQUESTS_CONSUMER,
  ...RETIRED_CONSUMERS.filter(({ durable }) => durable === 'credential-requests' || durable === 'log-replies'),
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
  /** Consumers that this release reads empty and nothing is stored for any more. Narrowing deletes them. */
  readonly retired: readonly ConsumerSpec[];
  /** The retired ones as the release before wants them: what a step back declares. */
  readonly restored: readonly ConsumerSpec[];
}

export const TOPOLOGY: Topology = {
  number: 2,
  streams: STREAMS,
  consumers: CONSUMERS,
  retired: RETIRED_CONSUMERS,
  restored: RESTORED_CONSUMERS,
};
