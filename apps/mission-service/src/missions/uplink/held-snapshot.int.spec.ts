import type { DockFact } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { type Tx, inTransaction } from '@aerie/persistence';
import type { DataSource, QueryRunner } from 'typeorm';
import { missionDatabase } from '../../database.js';
import { type Flight, aStart, handle, progress } from '../fixtures/dock-words.js';
import { aReplica } from '../fixtures/due-replica.js';
import { missionTestDatabase } from '../fixtures/mission-database.js';
import { lockMissions } from '../store/flight-critical.js';
import { readLive, saveLive, withLine } from '../store/flight-live.js';
import type { FlightLive } from '../store/mission.row.js';
import { lineOf } from '../store/report-lines.js';

let pool: DataSource;
let drop: () => Promise<void>;
let held: QueryRunner;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  pool = database.pools[0] as DataSource;
  // As a backup does for as long as it takes.
  held = pool.createQueryRunner();
  await held.startTransaction('REPEATABLE READ');
  // Our pools end what is idle for seconds; a slow machine needs longer for these tests.
  await held.query('SET LOCAL idle_in_transaction_session_timeout = 0');
  await held.query('SELECT count(*) FROM mission.mission');
}, 60_000);
afterAll(async () => {
  await held.rollbackTransaction();
  await held.release();
  await drop();
}, 30_000);

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}
interface Plan {
  readonly Plan: PlanNode & { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

/** Pages that a statement looks at. It is carried out by that. */
async function pagesOf(tx: Pick<Tx, 'query'>, sql: string, parameters: readonly unknown[] = []): Promise<number> {
  const [row] = await tx.query<{ 'QUERY PLAN': readonly Plan[] }>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, [
    ...parameters,
  ]);
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  if (plan === undefined) throw new Error('there is no plan');
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
}

const oneMore = ({ progress: said, received_at }: FlightLive): string =>
  lineOf({ messageId: 'one more', receivedAtMs: received_at.getTime() + 1, progress: said }, false);

/** Asks of each statement of one more report, instead of carrying it out: of the lock, of the last report, and of its write. */
async function ofReport<Found>(
  tx: Tx,
  { id }: Flight,
  find: (sql: string, parameters: readonly unknown[]) => Promise<Found>,
): Promise<Found[]> {
  const lives = await readLive(tx, [id]);
  const found: Found[] = [];
  const asking = {
    query: async (sql: string, parameters: readonly unknown[] = []) => {
      found.push(await find(sql, parameters));
      return [];
    },
    run: async (sql: string, parameters: readonly unknown[] = []) => found.push(await find(sql, parameters)),
  } as unknown as Tx;
  await lockMissions(asking, [id]);
  await saveLive(
    asking,
    lives.map((live) => ({ ...live, ...withLine(live, oneMore(live)) })),
  );
  return found;
}

const pagesOfReport = (flight: Flight) =>
  inTransaction(pool, async (tx) => {
    const [locking = NaN, reading = NaN, writing = NaN] = await ofReport(tx, flight, (sql, parameters) =>
      pagesOf(tx, sql, parameters),
    );
    return { locking, reading, writing };
  });

/** Whole tables, and all versions of a row before the newest of them is taken. */
const TOO_MUCH: ReadonlySet<string> = new Set(['Seq Scan', 'Bitmap Heap Scan']);

const relationsReadWhole = (node: PlanNode): string[] => [
  ...(TOO_MUCH.has(node['Node Type']) ? [`${node['Node Type']} on ${node['Relation Name']}`] : []),
  ...(node.Plans ?? []).flatMap(relationsReadWhole),
];

const fly = async (flight: Flight, reports: number): Promise<void> => {
  for (let said = 0; said < reports; said++) await handle(pool, [reportOf(flight)]);
};
/** Six seconds apart: so often at most the row of a dock says that it was heard. */
let sentAtMs = Date.now() - 3_600_000;
const nextTime = () => ({ receivedAtMs: (sentAtMs += 6_000) });
const reportOf = (flight: Flight): DockFact => progress(flight, 'in_progress', 50, nextTime());

it('a report costs as many pages while a transaction is held open, however many there were since it began', async () => {
  const flight = await aStart(pool);
  await fly(flight, 10);
  const early = await pagesOfReport(flight);
  await fly(flight, 200);
  const late = await pagesOfReport(flight);
  expect(late.locking).toBeLessThanOrEqual(early.locking + 1);
  expect(late.reading).toBeLessThanOrEqual(early.reading + 1);
  expect(late.writing).toBeLessThanOrEqual(early.writing + 3);
}, 60_000);

it.each(['flight', 'docks'] as const)(
  'the pool %s finds a report by its key, although its table had one page when it was analyzed',
  async (purpose) => {
    const { url, pools, drop: dropOther } = await missionTestDatabase(1);
    const other = await missionDatabase(url, createLogger('mission-spec', 'silent'), purpose).initialize();
    try {
      const flight = await aStart(pools[0] as DataSource);
      await handle(other, [reportOf(flight)]);
      await other.query('ANALYZE');
      const plans = await inTransaction(other, (tx) =>
        ofReport(tx, flight, async (sql, parameters) => {
          const [row] = await tx.query<{ 'QUERY PLAN': readonly Plan[] }>(`EXPLAIN (FORMAT JSON) ${sql}`, parameters);
          return row?.['QUERY PLAN'][0]?.Plan;
        }),
      );
      // With a few pages more a bitmap is the cheaper plan by its estimate.
      expect(await other.query('SHOW enable_bitmapscan')).toEqual([{ enable_bitmapscan: 'off' }]);
      expect(plans).toHaveLength(3);
      expect(plans.flatMap((plan) => (plan === undefined ? ['no plan'] : relationsReadWhole(plan)))).toEqual([]);
    } finally {
      await other.destroy();
      await dropOther();
    }
  },
  60_000,
);

it('each version of what a flight reported comes behind the one before in its key, whatever the report led to', async () => {
  const flight = await aStart(pool);
  let before = { reports: 0, gathered: 0 };
  // Reports that only gather, and those that are decided on: the take-off, a pause, and that it goes on.
  const steps = [1, 3, 24, 25, 25].map((step) => () => progress(flight, 'in_progress', 50, nextTime(), step));
  const pause = () => progress(flight, 'paused', 50, nextTime(), 25);
  for (const say of [...steps, ...steps, pause, ...steps, pause, ...steps, ...steps, ...steps, ...steps]) {
    await handle(pool, [say()]);
    const [row] = await pool.query<{ reports: number; gathered: number }[]>(
      'SELECT reports, gathered FROM mission.flight_live WHERE mission_id = $1',
      [flight.id],
    );
    const now = row ?? before;
    expect(now.reports > before.reports || (now.reports === before.reports && now.gathered >= before.gathered)).toBe(
      true,
    );
    before = now;
  }
  expect(before.reports + before.gathered).toBeGreaterThan(24);
}, 60_000);

it('a sweep goes through what was due once no more than once, however often a mission was', async () => {
  const { id } = await aStart(pool);
  for (let due = 0; due < 200; due++) {
    await pool.query(
      `UPDATE mission.mission SET next_action_at = now() - interval '1 hour' + make_interval(secs => $2) WHERE id = $1`,
      [id, due],
    );
  }
  await pool.query(`UPDATE mission.mission SET next_action_at = now() + interval '1 hour' WHERE id = $1`, [id]);
  let pages = 0;
  const counting = Object.create(pool) as DataSource;
  counting.query = async <Rows>(sql: string, parameters: unknown[] = []): Promise<Rows> => {
    // Of flights; the other sweeps go on beside it.
    if (sql.includes('AS overdue_ms') && (parameters[1] as string[]).includes('executing')) {
      pages += await inTransaction(pool, (tx) => pagesOf(tx, sql, parameters));
    }
    return pool.query<Rows>(sql, parameters);
  };
  const { runner } = aReplica(counting);
  const sweep = async (): Promise<number> => {
    pages = 0;
    await runner.runAll(new AbortController().signal);
    return pages;
  };
  const first = await sweep();
  const next = await sweep();
  expect(next).toBeLessThan(first / 2);
}, 60_000);
