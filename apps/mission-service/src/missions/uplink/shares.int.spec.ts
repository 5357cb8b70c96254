import { randomUUID } from 'node:crypto';
import { type DockFact, speakersQuestion } from '@aerie/bus-contract';
import { JetStreamPublisher, type NatsConnection, connectNats, declareTopology } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { ofAnyOrganisation } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { AutoResume } from '../breakpoints/auto-resume.js';
import { StartsFirst } from '../downlink/starts-first.js';
import { aReplica, executes } from '../fixtures/due-replica.js';
import { aFact, aStart, progress } from '../fixtures/dock-words.js';
import { aMission, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';
import { PolicyStore } from '../store/policy.store.js';
import { type TransactionKind, TransactionShares } from '../store/transaction-shares.js';
import { DockConsumer } from './dock.consumer.js';

const logger = createLogger('shares-spec', 'silent');
/** Its own, and the spare one. */
const PLACES = 2;

let server: PrivateServer;
let nats: NatsConnection;
let pool: DataSource;
let drop: () => Promise<void>;
let shares: TransactionShares;
let consumer: DockConsumer;
let release: (() => void)[];

beforeAll(async () => {
  const database = await missionTestDatabase(1);
  pool = database.pools[0] as DataSource;
  drop = database.drop;
  server = await startPrivateNats();
  nats = await connectNats(server.url, 'shares-spec', logger);
  answer(nats, speakersQuestion, ({ sns }) => ({ speakers: sns.map((sn) => ({ sn, dockSn: sn })) }));
  await declareTopology(nats);
}, 60_000);
afterAll(async () => {
  await nats?.close();
  await server?.remove();
  await drop();
}, 30_000);

beforeEach(() => {
  release = [];
  const metrics = new Metrics(`shares-${Math.random()}`);
  shares = new TransactionShares(metrics);
  const unused = undefined as never;
  consumer = new DockConsumer({
    ...{
      connection: nats,
      dataSource: pool,
      shares,
      startsFirst: new StartsFirst(),
      logger,
      metrics,
      autoResume: new AutoResume(new PolicyStore(ofAnyOrganisation(pool))),
    },
    ...{ afterCommit: { run: () => undefined } as never, commands: unused, deadLetters: unused },
    notes: { note: () => undefined } as never,
  });
  consumer.start();
});
afterEach(async () => {
  for (const end of release) end();
  await consumer.stop();
});

/** As if transactions of this kind took all the places that they can have. */
function fill(kind: TransactionKind): void {
  for (let place = 0; place < PLACES; place++) {
    void shares.run(kind, () => new Promise<void>((end) => release.push(end)));
  }
}

const tell = (fact: DockFact, kind: 'events' | 'replies') =>
  new JetStreamPublisher(nats, 5_000).store(
    `dock.v1.mission.${fact.sn}.${kind}.${fact.method ?? '_none'}`,
    JSON.stringify(fact),
    randomUUID(),
  );

/** A mission that its dock was told of, and the dock's yes. */
async function aPrepareInTheAir(): Promise<{ id: string; reply: DockFact }> {
  const id = await aMission(pool);
  const { mission } = await apply(pool, id, { type: 'prepareDue' });
  const [call] = await pool.query<{ tid: string }[]>('SELECT tid FROM mission.dock_call WHERE mission_id = $1', [id]);
  const channel = 'services_reply';
  const topic = `thing/product/${mission.dock_sn}/${channel}`;
  const method = 'flighttask_prepare';
  return {
    id,
    reply: aFact({ sn: mission.dock_sn, topic, channel, method, tid: call?.tid ?? '', bid: id, data: { result: 0 } }),
  };
}

async function aPrepared(): Promise<string> {
  const id = await aMission(pool);
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  return id;
}

it('takes the end of a flight while replies and claims have all the places that they can have', async () => {
  const flight = await aStart(pool);
  fill('replies');
  fill('claims');
  await tell(progress(flight, 'ok', 100), 'events');
  await eventually('the flight has ended', async () => (await stateOf(pool, flight.id)) === 'succeeded');
});

it('takes a reply, and starts a mission, while events have all the places that they can have', async () => {
  const { id, reply } = await aPrepareInTheAir();
  const due = await aPrepared();
  fill('events');
  await tell(reply, 'replies');
  await eventually('the reply is taken', async () => (await stateOf(pool, id)) === 'prepared');
  const replica = aReplica(pool, {}, true, {}, shares);
  await replica.runner.run([due]);
  expect(executes(replica)).toEqual([due]);
});

it('begins no transaction of docks or claims beyond its share, and all of them once there is room', async () => {
  const flight = await aStart(pool);
  const { id, reply } = await aPrepareInTheAir();
  const due = await aPrepared();
  const replica = aReplica(pool, {}, true, {}, shares);
  for (const kind of ['replies', 'claims', 'events'] as const) fill(kind);
  await Promise.all([tell(progress(flight, 'in_progress'), 'events'), tell(reply, 'replies')]);
  const run = replica.runner.run([due]);
  // Beside what fills the places: of that, one claim and one of the events have none.
  const waiting = () => (['replies', 'claims', 'events'] as const).map((kind) => shares.waitingOf(kind)).join();
  await eventually('all three wait for a place', () => waiting() === '1,2,2');
  const states = () => Promise.all([flight.id, id, due].map((each) => stateOf(pool, each)));
  expect(await states()).toEqual(['starting', 'preparing', 'prepared']);
  for (const end of release.splice(0)) end();
  await run;
  await eventually('all of them are done', async () => {
    // What `fill` asked for waits like all others.
    for (const end of release.splice(0)) end();
    return (await states()).join() === 'executing,prepared,starting';
  });
});
