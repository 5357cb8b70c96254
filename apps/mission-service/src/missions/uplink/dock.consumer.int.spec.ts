import { type DockFact, MISSION_EVENTS_CONSUMER, speakersQuestion } from '@aerie/bus-contract';
import {
  Backlog,
  DeadLetters,
  JetStreamPublisher,
  type NatsConnection,
  NoteDocks,
  connectNats,
  declareTopology,
  messageIdOf,
} from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { ofAnyOrganisation } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { AutoResume } from '../breakpoints/auto-resume.js';
import { StartsFirst } from '../downlink/starts-first.js';
import { type Flight, aStart, handle, progress } from '../fixtures/dock-words.js';
import { missionTestDatabase, stateOf, knownLive } from '../fixtures/mission-database.js';
import { PolicyStore } from '../store/policy.store.js';
import { TransactionShares } from '../store/transaction-shares.js';
import { DockConsumer } from './dock.consumer.js';

const logger = createLogger('consumer-spec', 'silent');
let nats: PrivateServer;
let connection: NatsConnection;
let publisher: JetStreamPublisher;
let pool: DataSource;
let drop: () => Promise<void>;
let consumer: DockConsumer;
const startsFirst = new StartsFirst();

beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  [pool] = database.pools as [DataSource];
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'consumer-spec', logger);
  await declareTopology(connection);
  publisher = new JetStreamPublisher(connection, 2_000);
  answer(connection, speakersQuestion, ({ sns }) => ({ speakers: sns.map((sn) => ({ sn, dockSn: sn })) }));
  // Longer than any test here: what is handled was taken along.
  startConsumer(600_000);
}, 60_000);

function startConsumer(reportWaitMs: number): void {
  const metrics = new Metrics('consumer-spec');
  consumer = new DockConsumer({
    ...{ connection, dataSource: pool, logger, metrics, startsFirst, shares: new TransactionShares(metrics) },
    autoResume: new AutoResume(new PolicyStore(ofAnyOrganisation(pool))),
    afterCommit: { run: () => undefined } as never,
    commands: {} as never,
    deadLetters: new DeadLetters(publisher, metrics),
    notes: new NoteDocks(connection),
    reportWaitMs,
  });
  consumer.start();
}
afterAll(async () => {
  await consumer?.stop();
  await connection?.close();
  await nats?.remove();
  await drop?.();
}, 30_000);

const say = (fact: DockFact): Promise<void> =>
  publisher.store(
    `dock.v1.mission.${fact.sn}.events.${fact.method ?? '_none'}`,
    JSON.stringify(fact),
    `${fact.sn}-${messageIdOf(fact)}`,
  );

const allIsHandled = async (): Promise<void> =>
  expect(await new Backlog(connection, [MISSION_EVENTS_CONSUMER]).handledUntilNow(10_000)).toBe(true);

/** Transactions that wrote what flights reported. */
async function writers(flights: readonly Flight[]): Promise<number> {
  const rows = await pool.query<{ xmin: string }[]>(
    'SELECT DISTINCT xmin::text AS xmin FROM mission.flight_live WHERE mission_id = ANY($1::uuid[])',
    [flights.map(({ id }) => id)],
  );
  return rows.length;
}

const someFlights = async (count: number): Promise<Flight[]> => {
  const flights: Flight[] = [];
  for (let number = 0; number < count; number++) flights.push(await aStart(pool));
  await handle(
    pool,
    flights.map((flight) => progress(flight, 'in_progress', 5)),
  );
  return flights;
};

const percentOf = async ({ id }: Flight): Promise<string | undefined> => {
  return (await knownLive(pool, id))?.progress.percent?.toString();
};

describe('reports of many docks', () => {
  it('wait whatever other docks say, and go with what their own dock says', async () => {
    const flights = await someFlights(4);
    const ending = await someFlights(8);
    for (const flight of flights) await say(progress(flight, 'in_progress', 10));
    // So many that each of the two lanes has some.
    for (const flight of ending) await say(progress(flight, 'ok', 100));
    await eventually('they have ended', async () => {
      const states = await Promise.all(ending.map(({ id }) => stateOf(pool, id)));
      return states.every((state) => state === 'succeeded');
    });
    expect(await Promise.all(flights.map(percentOf))).toEqual(flights.map(() => '5'));
    for (const flight of flights) await say(progress(flight, 'paused', 10));
    await allIsHandled();
    expect(await Promise.all(flights.map(percentOf))).toEqual(flights.map(() => '10'));
  });

  it('share a transaction once the time of the first one is up', async () => {
    await consumer.stop();
    startConsumer(2_000);
    const flights = await someFlights(8);
    await Promise.all(flights.map((flight) => say(progress(flight, 'in_progress', 10))));
    await allIsHandled();
    expect(await Promise.all(flights.map(percentOf))).toEqual(flights.map(() => '10'));
    // One for each lane.
    expect(await writers(flights)).toBeLessThanOrEqual(2);
  });
});

describe('the end of a flight that comes while others start', () => {
  const inBatches = async (flights: readonly Flight[]): Promise<void> => {
    for (const flight of flights) await say(progress(flight, 'ok', 100));
    await allIsHandled();
  };

  it('is taken, though they never come to an end', async () => {
    const flights = await someFlights(2);
    const [first, second] = flights as [Flight, Flight];
    await inBatches([first]);
    let started = (): void => undefined;
    const starting = startsFirst.during(() => new Promise<void>((resolve) => (started = resolve)));
    await inBatches([second]);
    expect(await stateOf(pool, second.id)).toBe('succeeded');
    started();
    await starting;
  });

  it('waits for its turn, by what the batch before has cost', async () => {
    const [flight] = (await someFlights(1)) as [Flight];
    const asked: number[] = [];
    const makeWay = startsFirst.makeWay.bind(startsFirst);
    startsFirst.makeWay = (lastBatchMs) => {
      asked.push(lastBatchMs);
      return makeWay(lastBatchMs);
    };
    try {
      await inBatches([flight]);
    } finally {
      startsFirst.makeWay = makeWay;
    }
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(Math.max(...asked)).toBeGreaterThan(0);
  });
});
