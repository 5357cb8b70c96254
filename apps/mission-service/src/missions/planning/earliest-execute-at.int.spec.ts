import { ConflictError } from '@aerie/kernel';
import { inTransaction, ApiDatabase } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { type PlanSetUp, accept, aPlan } from '../fixtures/dock-holds.js';
import { ORGANISATION, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';
import { insertMission } from './insert-missions.js';
import { RescheduleMission } from './reschedule-mission.js';

const MINUTE_MS = 60_000;

let pool: DataSource;
let api: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  ({ api, drop } = database);
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

let count = 0;
const aSn = (): string => `EARLIEST-${++count}`;

/** Another mission of a dock that takes it for so long, around a time that many minutes from now. */
async function taken(dockSn: string, ...minutes: number[]): Promise<void> {
  for (const minute of minutes) await accept(pool, { dockSn, executeInMs: minute * MINUTE_MS });
}

/** What the refusal of a mission advises; undefined when it is accepted. */
async function adviceFor(setUp: PlanSetUp): Promise<number | undefined> {
  const refusal = await accept(pool, setUp).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refusal === undefined) return undefined;
  expect(refusal).toBeInstanceOf(ConflictError);
  const { message, details } = refusal as ConflictError;
  const advised = details?.['earliestExecuteAt'] as string;
  expect(message).toContain(`executeAt ${advised} has room`);
  return Date.parse(advised);
}

/** A whole minute and a few seconds from now, so that waiting for an answer changes nothing. */
const inMs = (atMs: number): number => atMs - Date.now();

it.each([
  ['of one mission that is in the way', [60], 60, 70],
  ['of a gap between two', [60, 90], 60, 70],
  ['after two that leave no gap', [60, 72], 60, 82],
  ['after one that is in the way only by its margins', [60], 52, 70],
])(
  'a mission is accepted at the time that its refusal names, and not a second earlier: %s',
  async (_, others, asked, before) => {
    const dockSn = aSn();
    await taken(dockSn, ...others);
    const askedMs = Date.now() + asked * MINUTE_MS;
    const earliestMs = (await adviceFor({ dockSn, executeInMs: inMs(askedMs) })) ?? NaN;
    expect(earliestMs).toBeGreaterThan(askedMs);
    expect(earliestMs).toBeLessThan(Date.now() + before * MINUTE_MS);
    const stillTaken = await adviceFor({ dockSn, executeInMs: inMs(earliestMs) - 1_000 });
    // Asked for anew by a clock that goes on: to within the second.
    expect(Math.abs((stillTaken ?? NaN) - earliestMs)).toBeLessThan(1_000);
    const [plan, id] = await acceptAt(dockSn, earliestMs);
    expect(plan).toBe(earliestMs);
    expect(await stateOf(pool, id)).toBe('scheduled');
  },
);

async function acceptAt(dockSn: string, executeAtMs: number): Promise<[number, string]> {
  const planned = await aPlan(pool, { dockSn, executeInMs: inMs(executeAtMs) });
  const exact = {
    ...planned,
    input: { ...planned.input, executeAtMs },
    plan: { ...planned.plan, executeAtMs, deadlineMs: executeAtMs + 20_000 },
  };
  const row = await inTransaction(pool, (tx) => insertMission(tx, exact, null));
  return [row.execute_at?.getTime() ?? NaN, row.id];
}

it('a mission that was asked for at once is told a time that is accepted', async () => {
  const dockSn = aSn();
  await accept(pool, { dockSn });
  const earliestMs = (await adviceFor({ dockSn })) ?? NaN;
  expect(earliestMs).toBeGreaterThan(Date.now());
  await expect(acceptAt(dockSn, earliestMs)).resolves.toBeDefined();
});

it('a mission that is moved is told a time to which it can be moved, its own present time left aside', async () => {
  const dockSn = aSn();
  await taken(dockSn, 60);
  const id = await accept(pool, { dockSn, executeInMs: 72 * MINUTE_MS });
  const reschedule = new RescheduleMission(new ApiDatabase(api), { run: () => undefined } as never, {
    records: async () => new Map(),
  });
  const caller = { keyId: 'spec', organisationId: ORGANISATION, roles: ['pilot'], siteIds: null, dockSns: null };
  const refusal = await reschedule.execute(caller, id, Date.now() + 61 * MINUTE_MS, null).catch((e: unknown) => e);
  const advisedMs = Date.parse((refusal as ConflictError).details?.['earliestExecuteAt'] as string);
  expect(advisedMs).toBeLessThan(Date.now() + 71 * MINUTE_MS);
  await expect(reschedule.execute(caller, id, advisedMs, null)).resolves.toMatchObject({
    executeAt: new Date(advisedMs).toISOString(),
  });
  await apply(pool, id, { type: 'cancelRequested' });
});
