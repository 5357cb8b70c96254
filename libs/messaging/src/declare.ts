import {
  type ConsumerSpec,
  type StreamSpec,
  TOPOLOGY,
  type Topology,
  UNKNOWN_BEFORE,
  subjectMatches,
} from '@aerie/bus-contract';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  jetstreamManager,
} from '@nats-io/jetstream';
import { CONSUMER_EXISTS, CONSUMER_NOT_FOUND, STREAM_NAME_IN_USE, STREAM_NOT_FOUND, isApiError } from './api-errors.js';
import { type NatsConnection, streamReplicasOf } from './connection.js';

const NANOS_PER_MS = 1_000_000;

/** Under this key each stream and consumer keeps the number of the topology that declared it last. */
const TOPOLOGY_KEY = 'aerie.topology';
/**
 * Under this key a stream keeps the number of the topology whose retired consumers were deleted. Before that they are
 * declared like others: a JetStream that is wiped while replicas of the older release still store loses nothing then.
 */
const NARROWED_KEY = 'aerie.narrowed';
/** Only the ingress's own retries of one store need it, and those end within seconds. */
const DUPLICATE_WINDOW_MS = 120_000;

/** The server refused some streams, for want of room for example. All others are declared, with their consumers. */
export class StreamsRefusedError extends Error {
  constructor(
    readonly streams: readonly string[],
    options: ErrorOptions,
  ) {
    super(`the server refused streams: ${streams.join(', ')}`, options);
  }
}

/**
 * Creates the streams and consumers of bus-contract that are missing, and widens those that want less. Every replica of
 * every service may call it at any time, so a JetStream that was wiped is whole again as soon as anybody calls it.
 *
 * INVARIANTS: it never deletes a message. With interest retention the server drops stored messages the moment no
 * consumer wants them any more, so a filter, a limit or a list of subjects is never made smaller here. New consumers
 * are created before an existing one changes. What a newer release declared is left alone. `narrowTopology` is the
 * other half, run by a person once the last replica of the older release has gone.
 *
 * @returns the streams that a newer release has declared. Rejects with `StreamsRefusedError` once all others are declared.
 */
export async function declareTopology(
  connection: NatsConnection,
  topology: Topology = TOPOLOGY,
): Promise<readonly string[]> {
  const manager = await jetstreamManager(connection);
  const ours: StreamSpec[] = [];
  const refused: { readonly name: string; readonly error: JetStreamApiError }[] = [];
  for (const stream of topology.streams) {
    try {
      if (await declareStream(manager, stream, topology.number, streamReplicasOf(connection))) ours.push(stream);
    } catch (error) {
      // A server that does not answer would not answer for the others either.
      if (!(error instanceof JetStreamApiError)) throw error;
      refused.push({ name: stream.name, error });
    }
  }
  const retired = await stillDeclared(manager, topology);
  const consumers = [...topology.consumers, ...retired].filter(({ stream }) =>
    ours.some(({ name }) => name === stream),
  );
  const existing: { readonly spec: ConsumerSpec; readonly info: ConsumerInfo }[] = [];
  for (const spec of consumers) {
    const info = await findConsumer(manager, spec);
    if (info === undefined) await createConsumer(manager, spec, topology.number);
    else existing.push({ spec, info });
  }
  for (const { spec, info } of existing) await widenConsumer(manager, spec, info, topology.number);
  const [first] = refused;
  if (first !== undefined) {
    throw new StreamsRefusedError(
      refused.map(({ name }) => name),
      { cause: first.error },
    );
  }
  return topology.streams.filter((stream) => !ours.includes(stream)).map(({ name }) => name);
}

/** Creates or widens a stream. False: a newer release has declared it, and it was left alone. */
export async function declareStream(
  manager: JetStreamManager,
  spec: StreamSpec,
  number: number,
  replicas = 1,
): Promise<boolean> {
  const existing = await findStream(manager, spec.name);
  if (existing === undefined) {
    try {
      await manager.streams.add({
        ...streamConfig(spec),
        num_replicas: replicas,
        metadata: { [TOPOLOGY_KEY]: String(number) },
      });
      return true;
    } catch (error) {
      // Another replica created it a moment ago, possibly one of another release.
      if (!isApiError(error, STREAM_NAME_IN_USE)) throw error;
      return declareStream(manager, spec, number, replicas);
    }
  }
  const declaredBy = numberOf(existing.metadata);
  if (declaredBy > number) return false;
  const widened = { ...widenedStream(existing, spec), num_replicas: Math.max(existing.num_replicas, replicas) };
  // Writing nothing where nothing changes keeps two replicas from writing over each other.
  if (declaredBy === number && isSubset(widened, existing)) return true;
  await manager.streams.update(spec.name, { ...widened, metadata: withNumber(existing.metadata, number) });
  return true;
}

/** Retired consumers of streams from which they were not taken yet. */
async function stillDeclared(manager: JetStreamManager, { retired, number }: Topology): Promise<ConsumerSpec[]> {
  const streams = new Set(retired.map(({ stream }) => stream));
  const narrowed = new Set<string>();
  for (const name of streams) {
    if (Number((await findStream(manager, name))?.metadata?.[NARROWED_KEY] ?? 0) >= number) narrowed.add(name);
  }
  return retired.filter(({ stream }) => !narrowed.has(stream));
}

/** Creates or widens a consumer. */
export async function declareConsumer(manager: JetStreamManager, spec: ConsumerSpec, number: number): Promise<void> {
  const info = await findConsumer(manager, spec);
  if (info === undefined) await createConsumer(manager, spec, number);
  else await widenConsumer(manager, spec, info, number);
}

async function createConsumer(manager: JetStreamManager, spec: ConsumerSpec, number: number): Promise<void> {
  try {
    await manager.consumers.add(spec.stream, {
      ...consumerConfig(spec),
      metadata: { [TOPOLOGY_KEY]: String(number) },
    });
  } catch (error) {
    // Another replica created it a moment ago, with other settings: one of another release.
    const info = isApiError(error, CONSUMER_EXISTS) ? await findConsumer(manager, spec) : undefined;
    if (info === undefined) throw error;
    await widenConsumer(manager, spec, info, number);
  }
}

async function widenConsumer(
  manager: JetStreamManager,
  spec: ConsumerSpec,
  { config }: ConsumerInfo,
  number: number,
): Promise<void> {
  const declaredBy = numberOf(config.metadata);
  if (declaredBy > number) return;
  const widened = { ...consumerConfig(spec), filter_subjects: unionOf(filtersOf(config), spec.filterSubjects) };
  if (declaredBy === number && isSubset(widened, config)) return;
  await manager.consumers.update(spec.stream, spec.durable, {
    ...widened,
    metadata: withNumber(config.metadata, number),
  });
}

/** What a narrowing would do, or has done, to one consumer. */
export interface Narrowing {
  readonly stream: string;
  readonly durable: string;
  /** Filters that it has and no longer needs. */
  readonly dropped: readonly string[];
  /** Why it was left alone; null when it is narrow now, or gone if this release does not need it. */
  readonly refusal: string | null;
}

/**
 * Takes from each consumer the subjects that this release no longer reads through it, and deletes the retired ones. A
 * step of its own: run it once no replica of the older release is left. Nothing is lost by it: a subject is only dropped
 * when other consumers of the same program, which exist, want all of it, and a retired consumer only when it was read
 * empty. Returns the consumers that were wider than declared, or more.
 */
export async function narrowTopology(
  connection: NatsConnection,
  topology: Topology = TOPOLOGY,
): Promise<readonly Narrowing[]> {
  await declareTopology(connection, topology);
  const manager = await jetstreamManager(connection);
  const narrowings: Narrowing[] = [];
  for (const spec of topology.consumers) {
    const info = await findConsumer(manager, spec);
    if (info === undefined) continue;
    const dropped = filtersOf(info.config).filter((filter) => !spec.filterSubjects.includes(filter));
    if (dropped.length === 0) continue;
    const refusal = refusalOf(spec, info, dropped, topology);
    narrowings.push({ stream: spec.stream, durable: spec.durable, dropped, refusal });
    if (refusal === null) {
      await manager.consumers.update(spec.stream, spec.durable, {
        ...consumerConfig(spec),
        metadata: withNumber(info.config.metadata, topology.number),
      });
    }
  }
  return [...narrowings, ...(await deleteRetired(manager, topology))];
}

/**
 * Declares the retired consumers as the older release wants them, before replicas of it start again: an ingress of theirs
 * stores what nobody else would want.
 */
export async function restoreRetired(connection: NatsConnection, topology: Topology = TOPOLOGY): Promise<void> {
  const manager = await jetstreamManager(connection);
  for (const stream of new Set(topology.retired.map(({ stream }) => stream))) {
    await markNarrowed(manager, stream, 0, topology.number);
  }
  await declareTopology(connection, { ...topology, retired: topology.restored });
}

/**
 * Deletes the consumers that the older release does not read, once it runs again and the last replica of this release has
 * gone. One stays as long as no other consumer of the same program wants what it wants: then the older release has
 * not declared its own yet, and what it stores would be lost.
 */
export async function leaveTopology(
  connection: NatsConnection,
  unknown: readonly ConsumerSpec[] = UNKNOWN_BEFORE,
  topology: Topology = TOPOLOGY,
): Promise<readonly Narrowing[]> {
  const manager = await jetstreamManager(connection);
  const leavings: Narrowing[] = [];
  const stays = [...topology.consumers, ...topology.retired].filter(({ stream, durable }) => {
    return !unknown.some((one) => one.stream === stream && one.durable === durable);
  });
  for (const spec of unknown) {
    const info = await findConsumer(manager, spec);
    if (info === undefined) continue;
    const wanted: string[] = [];
    for (const other of stays.filter(({ stream, service }) => stream === spec.stream && service === spec.service)) {
      wanted.push(...filtersOf((await findConsumer(manager, other))?.config ?? {}));
    }
    const dropped = filtersOf(info.config);
    const orphan = dropped.find((filter) => !isCovered(filter, wanted));
    const refusal = orphan === undefined ? null : `no other consumer of ${spec.service} wants ${orphan}`;
    if (refusal === null) await manager.consumers.delete(spec.stream, spec.durable);
    leavings.push({ stream: spec.stream, durable: spec.durable, dropped, refusal });
  }
  return leavings;
}

/** All of a stream or none: as long as one still has something, an older replica may be storing for the others too. */
async function deleteRetired(manager: JetStreamManager, { retired, number }: Topology): Promise<Narrowing[]> {
  const narrowings: Narrowing[] = [];
  for (const stream of new Set(retired.map(({ stream }) => stream))) {
    const infos: ConsumerInfo[] = [];
    for (const spec of retired) {
      const info = spec.stream === stream ? await findConsumer(manager, spec) : undefined;
      if (info !== undefined) infos.push(info);
    }
    const refusals = infos.map((info) => refusalToDelete(info, number));
    const refusal = refusals.find((each) => each !== null) ?? null;
    // First, so that no replica declares again what is deleted.
    if (refusal === null) await markNarrowed(manager, stream, number, number);
    for (const [index, { name, config }] of infos.entries()) {
      const why = refusals[index] ?? (refusal === null ? null : 'another one has to go with it');
      if (why === null) await manager.consumers.delete(stream, name);
      narrowings.push({ stream, durable: name, dropped: filtersOf(config), refusal: why });
    }
  }
  return narrowings;
}

function refusalToDelete({ config, num_pending, num_ack_pending }: ConsumerInfo, number: number): string | null {
  if (numberOf(config.metadata) > number) return 'a newer release has declared it';
  const waiting = num_pending + num_ack_pending;
  return waiting === 0 ? null : `it has not been read empty: ${waiting} messages wait`;
}

async function markNarrowed(manager: JetStreamManager, name: string, narrowed: number, number: number): Promise<void> {
  const existing = await findStream(manager, name);
  if (existing === undefined || numberOf(existing.metadata) > number) return;
  const metadata = { ...existing.metadata, [NARROWED_KEY]: String(narrowed) };
  await manager.streams.update(name, { ...existing, metadata });
}

function refusalOf(
  spec: ConsumerSpec,
  { config }: ConsumerInfo,
  dropped: readonly string[],
  topology: Topology,
): string | null {
  if (numberOf(config.metadata) > topology.number) return 'a newer release has declared it';
  const others = topology.consumers
    .filter(({ stream, service, durable }) => {
      return stream === spec.stream && service === spec.service && durable !== spec.durable;
    })
    .flatMap(({ filterSubjects }) => filterSubjects);
  // A wide filter stays wanted where each of the narrower ones that replace it is wanted by somebody.
  const wanted = [...spec.filterSubjects, ...others];
  const orphan = dropped.find((filter) => !isCovered(filter, wanted));
  return orphan === undefined ? null : `no other consumer of ${spec.service} wants ${orphan}`;
}

/** The kinds of an uplink subject, `dock.v1.<owner>.<sn>.<kind>.<method>`: a filter may be split by them. */
const KINDS = ['events', 'requests', 'replies', 'status', 'state'] as const;

function isCovered(filter: string, wanted: readonly string[]): boolean {
  if (wanted.some((other) => subjectMatches(other, filter))) return true;
  const [, , , tail] = filter.split('.');
  if (!filter.startsWith('dock.v1.') || tail !== '>') return false;
  const split = KINDS.map((kind) => `${filter.slice(0, -1)}*.${kind}.>`);
  return split.every((narrow) => wanted.some((other) => subjectMatches(other, narrow)));
}

function streamConfig(spec: StreamSpec): StreamChange {
  return {
    name: spec.name,
    subjects: [...spec.subjects],
    storage: StorageType.File,
    retention: spec.retention === 'interest' ? RetentionPolicy.Interest : RetentionPolicy.Limits,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    max_bytes: spec.maxBytes,
    max_age: spec.maxAgeMs * NANOS_PER_MS,
    max_msg_size: spec.maxMessageBytes,
    duplicate_window: DUPLICATE_WINDOW_MS * NANOS_PER_MS,
  };
}

type StreamChange = Partial<StreamConfig> & { name: string };

function widenedStream(existing: StreamConfig, spec: StreamSpec): StreamChange {
  const wanted = streamConfig(spec);
  const larger = (name: 'max_bytes' | 'max_age' | 'max_msg_size'): number => {
    // The server has -1 and 0 for no limit.
    const limits = [existing[name], wanted[name] ?? 0];
    return limits.some((limit) => limit <= 0) ? existing[name] : Math.max(...limits);
  };
  return {
    ...wanted,
    subjects: unionOf(existing.subjects, spec.subjects),
    max_bytes: larger('max_bytes'),
    max_age: larger('max_age'),
    max_msg_size: larger('max_msg_size'),
  };
}

function consumerConfig(spec: ConsumerSpec): Partial<ConsumerConfig> & { durable_name: string } {
  return {
    durable_name: spec.durable,
    filter_subjects: [...spec.filterSubjects],
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: spec.ackWaitMs * NANOS_PER_MS,
    max_ack_pending: spec.maxAckPending,
    // A message that cannot be handled is rejected by us, counted and kept; the server must never strand one silently.
    max_deliver: -1,
  };
}

const filtersOf = ({ filter_subject, filter_subjects }: Partial<ConsumerConfig>): string[] =>
  filter_subjects ?? (filter_subject === undefined ? [] : [filter_subject]);

/** The filters of both, without those that another of them holds already: the server refuses filters that overlap. */
function unionOf(existing: readonly string[], wanted: readonly string[]): string[] {
  const all = [...new Set([...existing, ...wanted])];
  return all.filter((one) => !all.some((other) => other !== one && subjectMatches(other, one)));
}

/** Whether every setting of `some` is already so in `all`. */
function isSubset(some: Readonly<object>, all: Readonly<object>): boolean {
  const values = all as Readonly<Record<string, unknown>>;
  return Object.entries(some).every(([name, value]) => JSON.stringify(values[name]) === JSON.stringify(value));
}

const numberOf = (metadata: Readonly<Record<string, string>> | undefined): number =>
  Number(metadata?.[TOPOLOGY_KEY] ?? 0);

const withNumber = (metadata: Record<string, string> | undefined, number: number): Record<string, string> => ({
  ...metadata,
  [TOPOLOGY_KEY]: String(number),
});

const findStream = (manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> =>
  orUndefined(
    manager.streams.info(name).then(({ config }) => config),
    STREAM_NOT_FOUND,
  );

const findConsumer = (manager: JetStreamManager, spec: ConsumerSpec): Promise<ConsumerInfo | undefined> =>
  orUndefined(manager.consumers.info(spec.stream, spec.durable), CONSUMER_NOT_FOUND);

async function orUndefined<Value>(found: Promise<Value>, missing: number): Promise<Value | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isApiError(error, missing)) return undefined;
    throw error;
  }
}
