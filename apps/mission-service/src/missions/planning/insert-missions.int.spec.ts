import { DEFAULT_TIMING } from '@aerie/mission-core';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { MINUTE_MS, aPlan } from '../fixtures/dock-holds.js';
import { missionTestDatabase } from '../fixtures/mission-database.js';
import { lockMission } from '../store/flight-critical.js';
import { timingOf } from '../store/timing-column.js';
import { insertMission } from './insert-missions.js';

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

it('keeps with a mission the rules of time that it was planned with, whatever the settings are later', async () => {
  const plan = await aPlan(pool, { dockSn: 'RULES-1', executeInMs: 30 * MINUTE_MS });
  const timing = { ...DEFAULT_TIMING, startWindowMs: 7_000, executeLeadMs: 11_000, observeEveryMs: 13_000 };
  await inTransaction(pool, (tx) => insertMission(tx, { ...plan, timing }, null));
  const locked = await inTransaction(pool, (tx) => lockMission(tx, plan.id, null));
  expect(locked && timingOf(locked)).toEqual(timing);
});
