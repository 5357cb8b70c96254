import { randomUUID } from 'node:crypto';
import {
  CONSUMERS,
  type ConsumerSpec,
  DEAD_LETTER_STREAM,
  DOCK_STREAM,
  FACTS_STREAM,
  LOG_FACTS_CONSUMER,
  LOG_REPLIES_CONSUMER,
  MISSION_EVENTS_CONSUMER,
  MISSION_REPLIES_CONSUMER,
  FLEET_REQUESTS_CONSUMER,
  FLEET_STATE_CONSUMER,
  type Owner,
  RESTORED_CONSUMERS,
  RETIRED_CONSUMERS,
  STREAMS,
  type Topology,
  type UplinkKind,
  retiredConsumersOf,
  uplinkSubjects,
} from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Backlog } from './backlog.js';
import { type NatsConnection, connectNats } from './connection.js';
import { ACK, type ConsumerHandle, consume } from './consume.js';
import { declareTopology, narrowTopology, restoreRetired } from './declare.js';
import { JetStreamPublisher } from './publish.js';

const logger = createLogger('upgrade-spec', 'silent');

/** What the release before declares. Its declaring is ours: it leaves alone what a higher number has declared. */
const BEFORE: Topology = {
  number: 1,
  streams: [DOCK_STREAM, FACTS_STREAM, DEAD_LETTER_STREAM],
  consumers: [
    MISSION_EVENTS_CONSUMER,
    MISSION_REPLIES_CONSUMER,
    FLEET_REQUESTS_CONSUMER,
    ...RESTORED_CONSUMERS,
    LOG_FACTS_CONSUMER,
  ],
  retired: [],
  restored: [],
};

/** Each kind of uplink, as each ingress stores it. */
const UPLINKS: readonly (readonly [Owner, UplinkKind])[] = [
  ['mission', 'events'],
  ['mission', 'requests'],
  ['mission', 'replies'],
  ['any', 'replies'],
  ['fleet', 'status'],
  ['fleet', 'requests'],
  ['fleet', 'events'],
  ['fleet', 'state'],
  ['fleet', 'replies'],
  ['none', 'events'],
  ['none', 'requests'],
  ['credential', 'events'],
  ['credential', 'requests'],
  ['log', 'events'],
  ['log', 'replies'],
];
const readersOf = (owner: Owner): readonly ConsumerSpec['service'][] =>
  owner === 'any' ? ['mission', 'log'] : [owner === 'none' ? 'fleet' : owner];

let nats: PrivateServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let publisher: JetStreamPublisher;
/** What each program has to handle, and what it has: `<service> <number>`. */
let expected: string[];
let handled: string[];
let running: ConsumerHandle[];

beforeEach(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'upgrade-spec', logger);
  manager = await jetstreamManager(connection);
  publisher = new JetStreamPublisher(connection, 2_000);
  [expected, handled, running, foundGone] = [[], [], [], 0];
}, 30_000);
afterEach(async () => {
  await stopNewPrograms();
  await connection?.close();
  await nats?.remove();
}, 30_000);

async function store(owner: Owner, subjects: readonly string[]): Promise<void> {
  const id = randomUUID();
  expected.push(...readersOf(owner).map((service) => `${service} ${id}`));
  for (const subject of subjects) await publisher.store(subject, id, randomUUID());
}

/** The ingress of the release before. */
async function oldIngressStores(): Promise<void> {
  for (const [owner, kind] of UPLINKS) await store(owner, [`dock.v1.${owner}.DOCK-1.${kind}.a_method`]);
}
/** That of this release; it declares before it takes anything from the broker. */
async function newIngressStores(): Promise<void> {
  await declareTopology(connection);
  for (const [owner, kind] of UPLINKS) await store(owner, uplinkSubjects(owner, 'DOCK-1', kind, 'a_method'));
}

/** How often a program has found that a consumer of the release before is gone. */
let foundGone: number;
const listening = Object.assign(Object.create(logger) as typeof logger, {
  info: (_fields: object, text: string) => void (foundGone += text.includes('is gone') ? 1 : 0),
});

/** All programs of this release. */
function startNewPrograms(): void {
  const specs = [...CONSUMERS, ...RETIRED_CONSUMERS].filter(({ durable }) => durable !== 'log-facts');
  running = specs.map((spec) =>
    consume({
      connection,
      spec,
      maxInWork: 10,
      maxBatch: 10,
      lanes: 1,
      logger: listening,
      read: ({ body }) => new TextDecoder().decode(body),
      handleBatch: async (ids) => {
        handled.push(...ids.map((id) => `${spec.service} ${id}`));
        return ids.map(() => ACK);
      },
      keepRejected: () => Promise.reject(new Error('nothing is rejected here')),
    }),
  );
}
async function stopNewPrograms(): Promise<void> {
  await Promise.all(running.splice(0).map((handle) => handle.stop(5_000)));
}

/** All programs of the release before: they declare, and read the consumers that they know until these are empty. */
async function oldProgramsRead(): Promise<void> {
  await declareTopology(connection, BEFORE);
  for (const { stream, durable, service } of BEFORE.consumers) {
    const consumer = await jetstream(connection).consumers.get(stream, durable);
    for (;;) {
      const { num_pending, num_ack_pending } = await manager.consumers.info(stream, durable);
      if (num_pending + num_ack_pending === 0) break;
      for await (const message of await consumer.fetch({ max_messages: num_pending || 1, expires: 2_000 })) {
        await message.ackAck();
        handled.push(`${service} ${message.string()}`);
      }
    }
  }
}

const countIn = async (stream: string): Promise<number> => (await manager.streams.info(stream)).state.messages;
/** Messages that wait in the streams of uplinks. */
const waiting = async () =>
  Object.fromEntries(
    await Promise.all(
      STREAMS.filter(({ retention }) => retention === 'interest').map(
        async ({ name }) => [name, await countIn(name)] as const,
      ),
    ),
  );
const NOTHING = { DOCK: 0, BULK_FLEET: 0, BULK_LOG: 0, BULK_CREDENTIAL: 0 };
const allIsRead = () =>
  eventually(
    'no stream holds anything',
    async () => Object.values(await waiting()).every((count) => count === 0),
    20_000,
  );
const durablesOf = async (stream: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of manager.consumers.list(stream)) names.push(name);
  return names.sort();
};

it('handles every message once while an upgrade goes forward, back, and forward again, and no stream fills', async () => {
  await declareTopology(connection, BEFORE);
  await oldIngressStores();
  for (const { stream, durable } of BEFORE.consumers.filter((consumer) => consumer.stream === 'DOCK')) {
    expect((await manager.consumers.info(stream, durable)).num_pending).toBeGreaterThan(0);
  }

  // Forward: programs of both releases run, and a replica of the older one connects anew.
  startNewPrograms();
  await newIngressStores();
  await declareTopology(connection, BEFORE);
  await oldIngressStores();
  await allIsRead();
  expect([...handled].sort()).toEqual([...expected].sort());

  // Back: the new ingress is the last of its release to go, and what it stored waits for the release to come again.
  await stopNewPrograms();
  await newIngressStores();
  await oldIngressStores();
  await oldProgramsRead();
  // The one consumer of the newer release in the stream of flights would fill it: docs/upgrading.md has it deleted.
  expect((await manager.consumers.info(DOCK_STREAM.name, FLEET_STATE_CONSUMER.durable)).num_pending).toBe(2);
  await manager.consumers.delete(DOCK_STREAM.name, FLEET_STATE_CONSUMER.durable);
  const left = await waiting();
  expect(left).toEqual({ DOCK: 0, BULK_FLEET: 4, BULK_LOG: 3, BULK_CREDENTIAL: 2 });
  for (let round = 0; round < 5; round++) await oldIngressStores();
  await oldProgramsRead();
  expect(await waiting()).toEqual(left);

  // Forward again.
  startNewPrograms();
  await newIngressStores();
  await allIsRead();
  expect([...handled].sort()).toEqual([...expected].sort());
}, 120_000);

it('loses nothing that an ingress of the release before stores after JetStream was wiped in the middle of it', async () => {
  await declareTopology(connection, BEFORE);
  await declareTopology(connection);
  for (const { name } of STREAMS) await manager.streams.delete(name);
  await declareTopology(connection);
  await declareTopology(connection, BEFORE);
  await oldIngressStores();
  startNewPrograms();
  await allIsRead();
  expect([...handled].sort()).toEqual([...expected].sort());
}, 60_000);

describe('narrowing after the upgrade', () => {
  it('deletes the consumers of the release before only once they were read empty, all or none', async () => {
    await declareTopology(connection);
    await store('log', ['dock.v1.log.DOCK-1.events.a_method']);
    const narrowings = await narrowTopology(connection);
    expect(narrowings.filter(({ refusal }) => refusal === null)).toEqual([]);
    expect(narrowings).toContainEqual(
      expect.objectContaining({ stream: 'DOCK', durable: 'log', refusal: expect.stringContaining('1 messages wait') }),
    );
    expect(await durablesOf('DOCK')).toHaveLength(9);
    startNewPrograms();
    await allIsRead();
    expect(handled).toEqual(expected);
    expect((await narrowTopology(connection)).filter(({ refusal }) => refusal !== null)).toEqual([]);
    // No consumer of log-service or credential-service is left in the stream of flights, nor does any come back.
    for (const topology of [undefined, BEFORE]) {
      await declareTopology(connection, topology);
      expect(await durablesOf('DOCK')).toEqual(['fleet-requests', 'fleet-state', 'mission', 'mission-replies']);
    }
    await newIngressStores();
    await allIsRead();
    expect([...handled].sort()).toEqual([...expected].sort());
  }, 60_000);

  it('gives a release before that never ran here all that its ingress stores', async () => {
    await declareTopology(connection);
    const fleet = await manager.consumers.info(DOCK_STREAM.name, 'fleet');
    expect(fleet.config.filter_subjects).not.toContain('dock.v1.fleet.*.state.>');
    await restoreRetired(connection);
    await manager.consumers.delete(DOCK_STREAM.name, FLEET_STATE_CONSUMER.durable);
    await oldIngressStores();
    await oldProgramsRead();
    expect([...handled].sort()).toEqual([...expected].sort());
  }, 60_000);

  it('can be undone before the release before comes back, which then reads all that its ingress stores', async () => {
    await declareTopology(connection);
    await narrowTopology(connection);
    await restoreRetired(connection);
    expect(await durablesOf('DOCK')).toHaveLength(9);
    await oldIngressStores();
    await oldProgramsRead();
    expect([...handled].sort()).toEqual([...expected].sort());
    await manager.consumers.delete(DOCK_STREAM.name, FLEET_STATE_CONSUMER.durable);
    expect(await waiting()).toEqual(NOTHING);
  }, 60_000);
});

it('counts a consumer of the release before that is gone as read, and no other one', async () => {
  await declareTopology(connection);
  await narrowTopology(connection);
  const needed = CONSUMERS.filter(({ service }) => service === 'log');
  const backlog = new Backlog(connection, [...needed, ...retiredConsumersOf('log')]);
  expect(await backlog.handledUntilNow(2_000)).toBe(true);
  await manager.consumers.delete(LOG_REPLIES_CONSUMER.stream, LOG_REPLIES_CONSUMER.durable);
  expect(await backlog.handledUntilNow(2_000)).toBe(false);
}, 30_000);

it('reads the consumers of the release before again when they come back after a wipe, and stops at once while they are gone', async () => {
  await declareTopology(connection);
  startNewPrograms();
  await narrowTopology(connection);
  await newIngressStores();
  await allIsRead();
  await eventually('all have found them gone', () => foundGone === RETIRED_CONSUMERS.length, 20_000);
  for (const { name } of STREAMS) await manager.streams.delete(name);
  // What nobody narrowed is declared as for an upgrade, and has to be read, or stream DOCK would fill.
  await newIngressStores();
  await oldIngressStores();
  expect(await durablesOf('DOCK')).toHaveLength(9);
  await allIsRead();
  expect([...handled].sort()).toEqual([...expected].sort());
  expect((await narrowTopology(connection)).filter(({ refusal }) => refusal !== null)).toEqual([]);
  await eventually('all have found them gone again', () => foundGone === 2 * RETIRED_CONSUMERS.length, 20_000);
  const startedMs = Date.now();
  await stopNewPrograms();
  expect(Date.now() - startedMs).toBeLessThan(4_000);
}, 90_000);
