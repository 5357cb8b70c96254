import type { DataSource } from 'typeorm';
import type { Order } from '../advance-mission.js';
import { aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';
import { RepeatCalls } from './repeat-calls.js';

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

/** A mission that its dock has accepted and that starts in an hour. */
async function aPrepared(): Promise<string> {
  const id = await aMission(pool, { kind: 'timed', executeInMs: 3_600_000 });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  return id;
}

/** The commands of the mission that are sent again once their time has come. */
async function repeatsOf(id: string): Promise<string[]> {
  await pool.query(
    'UPDATE mission.dock_call SET next_attempt_at = now() WHERE mission_id = $1 AND next_attempt_at IS NOT NULL',
    [id],
  );
  const orders: Order[] = [];
  await new RepeatCalls(pool, { enqueue: (due: readonly Order[]) => void orders.push(...due) } as never).run();
  return orders.filter(({ mission }) => mission.id === id).map(({ effect }) => effect);
}

it('sends the undo of a missed mission three times in all, and no other command of it', async () => {
  const id = await aPrepared();
  expect(await repeatsOf(id)).toEqual([]);
  const { orders } = await apply(pool, id, { type: 'windowClosed' });
  expect(orders.map(({ effect }) => effect)).toEqual(['sendUndo']);
  expect([await repeatsOf(id), await repeatsOf(id), await repeatsOf(id)]).toEqual([['sendUndo'], ['sendUndo'], []]);
});

it('sends no undo of the former time any more once the dock was given the mission anew', async () => {
  const id = await aPrepared();
  const executeAtMs = Date.now() + 7_200_000;
  const times = { executeAtMs, prepareAtMs: executeAtMs - 900_000, deadlineMs: executeAtMs + 20_000 };
  await apply(pool, id, { type: 'rescheduled', ...times });
  expect(await repeatsOf(id)).toEqual(['sendUndo']);
  await apply(pool, id, { type: 'prepareDue' });
  expect(await repeatsOf(id)).toEqual([]);
});
