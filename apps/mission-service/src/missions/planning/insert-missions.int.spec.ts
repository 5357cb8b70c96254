import { DEFAULT_TIMING } from '@aerie/mission-core';
import { ApiDatabase, type Tx, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { MINUTE_MS, aPlan } from '../fixtures/dock-holds.js';
import { ORGANISATION, missionTestDatabase } from '../fixtures/mission-database.js';
import { lockMission, readMissions } from '../store/flight-critical.js';
import { timingOf } from '../store/timing-column.js';
import { insertMission } from './insert-missions.js';

let pool: DataSource;
let api: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  ({ api, drop } = database);
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

it('is read back by its key, however many missions its organisation has, by one who does not know how many', async () => {
  let plan = '';
  const explained: Pick<Tx, 'query'> = {
    async query(sql, parameters = []) {
      const rows = await new ApiDatabase(api)
        .of(ORGANISATION)
        .query<Record<string, string>>(`EXPLAIN ${sql}`, parameters);
      plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return [];
    },
  };
  await readMissions(explained as Tx, ['22222222-2222-4222-8222-222222222222']);
  expect(plan).toMatch(/ on mission x\S* .*\n *Index Cond: .*\(id = /);
  expect(plan).toMatch(/ on dock x\S* .*\n *Index Cond: .*\(sn = /);
  expect(plan).toMatch(/ on wayline x\S* .*\n *Index Cond: .*\(id = /);
});
