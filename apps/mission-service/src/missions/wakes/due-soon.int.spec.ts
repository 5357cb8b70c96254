import { Metrics } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { aMission, missionTestDatabase } from '../fixtures/mission-database.js';
import { showDueSoon } from './due-soon.js';

let pools: DataSource[];
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, drop } = await missionTestDatabase(1));
}, 60_000);
afterAll(() => drop?.(), 30_000);

const pool = (): DataSource => pools[0] as DataSource;
const dueIn = (id: string, seconds: number) =>
  pool().query(`UPDATE mission.mission SET next_action_at = now() + $2 * interval '1 second' WHERE id = $1`, [
    id,
    seconds,
  ]);

/** What somebody reads at /metrics. */
async function shown(metrics: Metrics): Promise<number> {
  const text = await metrics.registry.metrics();
  return Number(/^mission_due_soon\{[^}]*\} (\S+)$/m.exec(text)?.[1]);
}

it('counts missions whose next step is due within a minute, late ones as well, and none that wait longer', async () => {
  const metrics = new Metrics('spec');
  showDueSoon(metrics, pool());
  const [late, soon, later] = [await aMission(pool()), await aMission(pool()), await aMission(pool())];
  await dueIn(late, -5);
  await dueIn(soon, 50);
  await dueIn(later, 90);
  expect(await shown(metrics)).toBe(2);
  await dueIn(later, 30);
  expect(await shown(metrics)).toBe(3);
});

it('shows no number where the database does not answer, and all other metrics still', async () => {
  const metrics = new Metrics('spec');
  showDueSoon(metrics, { query: () => Promise.reject(new Error('no connection')) } as unknown as DataSource);
  metrics.gauge('other', 'another one', () => 7);
  expect(await shown(metrics)).toBeNaN();
  expect(await metrics.registry.metrics()).toContain('other{service="spec"} 7');
});
