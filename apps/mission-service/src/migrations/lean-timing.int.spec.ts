import { createLogger } from '@aerie/observability';
import { DEFAULT_TIMING } from '@aerie/mission-core';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { MINUTE_MS, aPlan } from '../missions/fixtures/dock-holds.js';
import { missionTestDatabase } from '../missions/fixtures/mission-database.js';
import { insertMission } from '../missions/planning/insert-missions.js';
import { missionDatabase } from '../database.js';
import { LeanTiming1765320000000 } from './1765320000000-lean-timing.js';

let source: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const { url, drop: dropDatabase } = await missionTestDatabase(0);
  source = await missionDatabase(url, createLogger('migration-spec', 'silent'), 'chores').initialize();
  drop = async () => {
    await source.destroy();
    await dropDatabase();
  };
}, 60_000);
afterAll(() => drop(), 30_000);

const timingIn = async (id: string): Promise<unknown> => {
  const [row] = await source.query<{ timing: unknown }[]>('SELECT timing FROM mission.mission WHERE id = $1', [id]);
  return row?.timing;
};

it('the way back writes all rules of time into each row again, and leaves those of the first release', async () => {
  const planned = async (dockSn: string, timing: typeof DEFAULT_TIMING): Promise<string> => {
    const plan = await aPlan(source, { dockSn, executeInMs: 30 * MINUTE_MS });
    await inTransaction(source, (tx) => insertMission(tx, { ...plan, timing }, null));
    return plan.id;
  };
  const set = { ...DEFAULT_TIMING, startWindowMs: 7_000, silenceMs: 61_000 };
  const [usual, other, first] = [
    await planned('USUAL', DEFAULT_TIMING),
    await planned('OTHER', set),
    await planned('FIRST', DEFAULT_TIMING),
  ];
  await source.query(`UPDATE mission.mission SET timing = '{}' WHERE id = $1`, [first]);
  expect(await timingIn(usual)).toEqual({ silenceMs: DEFAULT_TIMING.silenceMs });

  const runner = source.createQueryRunner();
  await new LeanTiming1765320000000().down(runner);
  await runner.release();

  expect(await timingIn(usual)).toEqual(DEFAULT_TIMING);
  expect(await timingIn(other)).toEqual(set);
  expect(await timingIn(first)).toEqual({});
});
