import type { SendAnswer } from '@aerie/bus-contract';
import { Metrics, createLogger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { Order } from '../advance-mission.js';
import { AfterCommit } from '../downlink/after-commit.js';
import { StartsFirst } from '../downlink/starts-first.js';
import {
  type MissionSetUp,
  ORGANISATION,
  aMission,
  apply,
  missionTestDatabase,
  stateOf,
  timelineOf,
} from '../fixtures/mission-database.js';
import { MissionReadModel } from '../views/mission.read-model.js';
import { ControlMission } from './control-mission.js';
import type { ControlAction } from './controls.js';

let pools: DataSource[];
let api: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, api, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (index = 0): DataSource => pools[index] as DataSource;
const CALLER = { keyId: 'key-1', organisationId: ORGANISATION, roles: ['pilot'], siteIds: null, dockSns: null };
const WRITTEN: SendAnswer = { outcome: 'written' };
const SEEDS = 3;

/** A replica whose ingress writes down what it is asked to send, in that order, and answers when it is told. */
class Replica {
  readonly sent: { readonly id: string; readonly effect: string }[] = [];
  answerTo: (order: Order) => Promise<SendAnswer> = async () => WRITTEN;
  readonly afterCommit: AfterCommit;
  readonly control: ControlMission;
  readonly metrics = new Metrics('withdrawn-starts');

  constructor(dataSource: DataSource) {
    this.afterCommit = new AfterCommit({
      dataSource,
      commands: {
        send: async (order: Order, _atMs: number, whyNot: () => Promise<string | null>) => {
          const reason = await whyNot();
          if (reason !== null) return { outcome: 'refused', reason, notWanted: true };
          this.sent.push({ id: order.mission.id, effect: order.effect });
          return this.answerTo(order);
        },
      } as never,
      observeDock: {} as never,
      wakes: { for: () => undefined } as never,
      startsFirst: new StartsFirst(),
      logger: createLogger('withdrawn-starts', 'silent'),
      metrics: this.metrics,
    });
    this.control = new ControlMission(new ApiDatabase(api), undefined as never, this.afterCommit);
  }

  stop(id: string, action: ControlAction = 'stop') {
    return this.control.execute(CALLER, id, { action, reason: null, version: null, parameters: {} });
  }

  effectsOf(id: string): string[] {
    return this.sent.filter((one) => one.id === id).map(({ effect }) => effect);
  }
}

/** A mission that was claimed, and the order that would start it. */
async function aClaim(setUp: MissionSetUp = {}): Promise<{ readonly id: string; readonly orders: readonly Order[] }> {
  const id = await aMission(pool(), setUp);
  await apply(pool(), id, { type: 'prepareDue' });
  await apply(pool(), id, { type: 'prepareAccepted', edition: 1 });
  const { orders } = await apply(pool(), id, { type: 'executeDue' });
  return { id, orders };
}

const startOf = async (id: string) => {
  const [call] = await pool().query<{ send_outcome: string; send_reason: string }[]>(
    `SELECT send_outcome, send_reason FROM mission.dock_call WHERE mission_id = $1 AND method = 'flighttask_execute'`,
    [id],
  );
  return call;
};

it.each(['stop', 'return-home'] as const)(
  'a %s withdraws a start that was not handed to the ingress, also at another replica: nothing of it leaves',
  async (action) => {
    const [claimer, other] = [new Replica(pool()), new Replica(pool(1))];
    const { id, orders } = await aClaim();
    const { command, mission } = await other.stop(id, action);
    expect([command, mission.state, mission.cause?.code]).toEqual([null, 'canceling', 'canceled_by_operator']);
    claimer.afterCommit.enqueue(orders);
    await Promise.all([claimer.afterCommit.settle(), other.afterCommit.settle()]);
    expect([claimer.effectsOf(id), other.effectsOf(id)]).toEqual([[], ['sendUndo']]);
    expect(await startOf(id)).toEqual({ send_outcome: 'refused', send_reason: 'the start was withdrawn' });
    expect(await stateOf(pool(), id)).toBe('canceling');
  },
);

it('a stop withdraws a start also when its dock names another flight', async () => {
  const [claimer, other] = [new Replica(pool()), new Replica(pool(1))];
  const { id, orders } = await aClaim();
  await pool().query(
    `UPDATE mission.dock SET flight_id = 'another', flight_at = clock_timestamp()
      WHERE sn = (SELECT dock_sn FROM mission.mission WHERE id = $1)`,
    [id],
  );
  expect((await other.stop(id)).command).toBeNull();
  claimer.afterCommit.enqueue(orders);
  await claimer.afterCommit.settle();
  expect(claimer.effectsOf(id)).toEqual([]);
});

it('a stop goes behind a start that was handed to the ingress, once it is known what became of that', async () => {
  const replica = new Replica(pool());
  const { id, orders } = await aClaim();
  let answer: (is: SendAnswer) => void = () => undefined;
  replica.answerTo = ({ effect }) =>
    effect === 'sendExecute' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(WRITTEN);
  replica.afterCommit.enqueue(orders);
  await eventually('the start is handed over', async () => replica.effectsOf(id).length === 1);
  const { command } = await replica.stop(id);
  expect(command?.method).toBe('flighttask_stop');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(replica.effectsOf(id)).toEqual(['sendExecute']);
  answer(WRITTEN);
  await replica.afterCommit.settle();
  expect(replica.effectsOf(id)).toEqual(['sendExecute', 'sendStop']);
});

it('a timeline shows a start that was written by the row of its command, and one that was not by an entry', async () => {
  const [replica, silent] = [new Replica(pool()), new Replica(pool())];
  silent.answerTo = async () => ({ outcome: 'unknown', reason: 'no answer' });
  for (const [by, outcome, rows] of [
    [replica, 'written', 0],
    [silent, 'unknown', 1],
  ] as const) {
    const { id, orders } = await aClaim();
    by.afterCommit.enqueue(orders);
    await by.afterCommit.settle();
    const timeline = await new MissionReadModel(new ApiDatabase(pool())).timeline(wholeOf(ORGANISATION), id);
    const start = timeline?.items.filter(({ kind, what }) => kind === 'message_out' && what === 'flighttask_execute');
    expect(start).toMatchObject([{ detail: { outcome, reason: outcome === 'written' ? null : 'no answer' } }]);
    const written = (await timelineOf(pool(), id)).filter(({ kind }) => kind === 'message_out');
    expect(written).toHaveLength(rows);
  }
});

it('a stop is sent in time when nobody ever says what became of the start', async () => {
  const replica = new Replica(pool());
  const { id, orders } = await aClaim();
  replica.answerTo = ({ effect }) =>
    effect === 'sendExecute' ? new Promise(() => undefined) : Promise.resolve(WRITTEN);
  replica.afterCommit.enqueue(orders);
  await eventually('the start is handed over', async () => replica.effectsOf(id).length === 1);
  await replica.stop(id);
  await eventually('the stop is sent', async () => replica.effectsOf(id).length === 2, 10_000);
}, 20_000);

it.each([
  ['refuses to answer', () => Promise.reject(new Error('the database is away'))],
  ['does not answer', () => new Promise(() => undefined)],
])(
  'a stop is sent in time when the database %s what became of the start',
  async (_what, query) => {
    const replica = new Replica(Object.create(pool(), { query: { value: query } }) as DataSource);
    const { id, orders } = await aClaim();
    replica.afterCommit.enqueue(orders);
    await eventually('the start is handed over', async () => replica.effectsOf(id).length === 1);
    const askedAtMs = Date.now();
    await replica.stop(id);
    await eventually('the stop is sent', async () => replica.effectsOf(id).length === 2, 10_000);
    expect(replica.effectsOf(id)).toEqual(['sendExecute', 'sendStop']);
    expect(Date.now() - askedAtMs).toBeLessThan(5_000);
  },
  20_000,
);

it('a start that came to nothing is not tried again after a stop, and the stop is not sent to a dock that does not fly', async () => {
  const replica = new Replica(pool());
  const { id, orders } = await aClaim();
  let answer: (is: SendAnswer) => void = () => undefined;
  replica.answerTo = ({ effect }) =>
    effect === 'sendExecute' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(WRITTEN);
  replica.afterCommit.enqueue(orders);
  await eventually('the start is handed over', async () => replica.effectsOf(id).length === 1);
  await replica.stop(id);
  answer({ outcome: 'refused', reason: 'not connected to the broker' });
  await replica.afterCommit.settle();
  expect(replica.effectsOf(id)).toEqual(['sendExecute', 'sendUndo']);
  expect(await stateOf(pool(), id)).toBe('canceling');
});

it('a start of a replica of the previous release is never withdrawn: it may have left', async () => {
  const replica = new Replica(pool());
  const { id } = await aClaim();
  await pool().query('UPDATE mission.dock_call SET hand_state = NULL WHERE mission_id = $1', [id]);
  expect((await replica.stop(id)).command?.method).toBe('flighttask_stop');
  expect(await stateOf(pool(), id)).toBe('starting');
});

it('a stop of a flight waits behind no herd of other commands, of which none is answered', async () => {
  const replica = new Replica(pool());
  const { id } = await aClaim();
  await apply(pool(), id, { type: 'flightInProgress' });
  const preparing = await aMission(pool());
  const { orders } = await apply(pool(), preparing, { type: 'prepareDue' });
  replica.answerTo = ({ effect }) => (effect === 'sendStop' ? Promise.resolve(WRITTEN) : new Promise(() => undefined));
  // More than there are places for.
  replica.afterCommit.enqueue(Array.from({ length: 300 }, () => orders).flat());
  await eventually('all places are taken', async () => replica.effectsOf(preparing).length >= 192);
  await replica.stop(id);
  await eventually('the stop is sent', async () => replica.effectsOf(id).includes('sendStop'));
});

it.each(Array.from({ length: SEEDS }, () => Math.floor(Math.random() * 2 ** 31)))(
  'of a herd that is stopped while it starts, no start leaves after its stop: seed %i',
  async (seed) => {
    const [claimer, other] = [new Replica(pool()), new Replica(pool(1))];
    // In groups that a pool has connections for.
    const claims: Awaited<ReturnType<typeof aClaim>>[] = [];
    while (claims.length < 60) claims.push(...(await Promise.all(Array.from({ length: 6 }, aClaim))));
    // Multiplicative: enough to shuffle delays.
    let state = seed;
    const delay = () => new Promise((resolve) => setTimeout(resolve, (state = (state * 48_271) % 0x7fffffff) % 40));
    const stopped = claims.map(async ({ id }) => {
      await delay();
      const { command } = await other.stop(id);
      return { id, isWithdrawn: command === null };
    });
    for (const { orders } of claims) void delay().then(() => claimer.afterCommit.enqueue(orders));
    const all = await Promise.all(stopped);
    await eventually('all starts are settled', async () => {
      const [row] = await pool().query<{ settled: number }[]>(
        `SELECT count(*)::int AS settled FROM mission.dock_call
          WHERE mission_id = ANY($1) AND method = 'flighttask_execute' AND send_outcome IS NOT NULL`,
        [claims.map(({ id }) => id)],
      );
      return row?.settled === claims.length;
    });
    await Promise.all([claimer.afterCommit.settle(), other.afterCommit.settle()]);
    for (const { id, isWithdrawn } of all) {
      expect([claimer.effectsOf(id), other.effectsOf(id)]).toEqual(
        isWithdrawn ? [[], ['sendUndo']] : [['sendExecute'], ['sendStop']],
      );
    }
  },
  60_000,
);

it('tells how late the start of a timed mission was written, and of no other mission', async () => {
  const replica = new Replica(pool());
  // Its lead is two minutes, so that its start was due ten seconds ago.
  const timed = await aClaim({ kind: 'timed', executeInMs: 110_000 });
  const immediate = await aClaim();
  replica.afterCommit.enqueue([...timed.orders, ...immediate.orders]);
  await replica.afterCommit.settle();
  expect([replica.effectsOf(timed.id), replica.effectsOf(immediate.id)]).toEqual([['sendExecute'], ['sendExecute']]);
  const text = await replica.metrics.registry.getSingleMetricAsString('mission_start_skew_seconds');
  const read = (end: string): number => Number(new RegExp(`_${end}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  expect(read('count')).toBe(1);
  expect(read('sum')).toBeGreaterThanOrEqual(10);
  expect(read('sum')).toBeLessThan(60);
});
