import type { Tx } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import type { DataSource } from 'typeorm';
import { missionTestDatabase } from '../fixtures/mission-database.js';
import { findHolders } from './dock-reservations.js';
import { readClaimGuards } from './flight-critical.js';

const DOCKS = 2_000;
const DAYS = 10;

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  [pool, drop] = [database.pools[0] as DataSource, database.drop];
  // Each dock has a mission a day.
  await fill(pool, (tx) =>
    tx.run(
      `INSERT INTO mission.dock_reservation (dock_sn, during, holder_kind, holder_id)
       SELECT 'D-' || dock, tstzrange(now() + day * interval '1 day', now() + day * interval '1 day' + interval '1 hour'),
              'mission', gen_random_uuid()
         FROM generate_series(1, $1::int) AS dock, generate_series(1, $2::int) AS day`,
      [DOCKS, DAYS],
    ),
  );
  await pool.query('ANALYZE mission.dock_reservation');
}, 60_000);
afterAll(() => drop(), 30_000);

/** How PostgreSQL would answer what a statement asks. */
async function planOf(ask: (through: Pick<Tx, 'query'>) => Promise<unknown>): Promise<string> {
  let plan = '';
  await ask({
    async query(sql, parameters = []) {
      const lines = await pool.query<Record<string, string>[]>(`EXPLAIN ${sql}`, [...parameters]);
      plan = lines.map((line) => line['QUERY PLAN']).join('\n');
      return [];
    },
  });
  return plan;
}

const anId = '22222222-2222-4222-8222-222222222222';

it.each([
  ['a plan', (tx: Pick<Tx, 'query'>) => findHolders(tx, 'D-7', { fromMs: Date.now(), untilMs: Date.now() + 1 }, null)],
  ['a claim', (tx: Pick<Tx, 'query'>) => readClaimGuards(tx, [anId])],
])('%s looks at the reservations of its own dock only, however many others there are', async (_, ask) => {
  const plan = await planOf(ask);
  expect(plan).toContain('dock_reservation_dock');
  expect(plan).not.toContain('Seq Scan on dock_reservation');
});
