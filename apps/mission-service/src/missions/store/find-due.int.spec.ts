import { explained } from '@aerie/testing';
import { inTransaction } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import type { DataSource } from 'typeorm';
import { aMission, missionTestDatabase } from '../fixtures/mission-database.js';
import { findDue, findNextInstants } from './flight-critical.js';

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

it('a look for what is due reads none of the many missions that are not', async () => {
  const id = await aMission(pool);
  const columns = await pool.query<{ name: string }[]>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = 'mission.mission'::regclass AND attnum > 0
        AND NOT attisdropped AND attname NOT IN ('id', 'next_action_at')`,
  );
  const names = columns.map(({ name }) => name).join(', ');
  await fill(pool, (tx) =>
    tx.run(
      `INSERT INTO mission.mission (id, next_action_at, ${names})
       SELECT gen_random_uuid(), now() + n * interval '1 minute', ${names} FROM mission.mission, generate_series(1, 20000) AS n
        WHERE id = $1`,
      [id],
    ),
  );
  await pool.query('ANALYZE mission.mission');
  const plans: string[] = [];
  await inTransaction(pool, async (tx) => {
    const looking = explained(tx, plans);
    await findDue(looking, null, ['scheduled', 'prepared'], 600, 500);
    await findNextInstants(looking, 60_000, 25, 5_000);
  });
  expect(plans.filter((line) => /Index Cond:.*next_action_at/.test(line))).toHaveLength(2);
}, 60_000);

it('a look that goes back so far finds what became due since then, and nothing before it', async () => {
  const overdue = async (seconds: number): Promise<string> => {
    const id = await aMission(pool);
    await pool.query(`UPDATE mission.mission SET next_action_at = now() - make_interval(secs => $2) WHERE id = $1`, [
      id,
      seconds,
    ]);
    return id;
  };
  const [early, late] = [await overdue(120), await overdue(20)];
  const found = async (backMs: number | null): Promise<string[]> =>
    (await findDue(pool, [early, late], ['scheduled'], 10, 500, backMs)).map(({ id }) => id);
  expect(await found(null)).toEqual([early, late]);
  expect(await found(60_000)).toEqual([late]);
});
