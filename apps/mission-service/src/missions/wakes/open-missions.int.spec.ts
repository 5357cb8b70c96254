import { Metrics } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { aMission, missionTestDatabase } from '../fixtures/mission-database.js';
import { showOpenMissions } from './open-missions.js';

let pools: DataSource[];
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, drop } = await missionTestDatabase(1));
}, 60_000);
afterAll(() => drop?.(), 30_000);

it('counts missions that are not over by their state, shows 0 for a state that has none, and no end', async () => {
  const pool = pools[0] as DataSource;
  const metrics = new Metrics('spec');
  showOpenMissions(metrics, pool);
  await aMission(pool);
  await aMission(pool);
  const over = await aMission(pool);
  await pool.query(`UPDATE mission.mission SET state = 'missed', next_action_at = NULL WHERE id = $1`, [over]);
  const text = await metrics.registry.getSingleMetricAsString('mission_open');
  expect(text).toMatch(/state="scheduled".*\} 2$/m);
  expect(text).toMatch(/state="executing".*\} 0$/m);
  expect(text).not.toContain('missed');
});
