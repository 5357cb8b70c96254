import type { DataSource } from 'typeorm';
import { aReplica } from '../fixtures/due-replica.js';
import { aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';

let pools: DataSource[];
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, drop } = await missionTestDatabase(1));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (): DataSource => pools[0] as DataSource;

/** As if it had been accepted that long ago. */
const age = (id: string, seconds: number) =>
  pool().query(
    `UPDATE mission.mission SET deadline = deadline - make_interval(secs => $2), next_action_at = clock_timestamp(),
            created_at = created_at - make_interval(secs => $2) WHERE id = $1`,
    [id, seconds],
  );

async function runDue(id: string) {
  const replica = aReplica(pool());
  await replica.runner.run([id]);
  const effects = replica.carriedOut.flatMap(({ orders }) => orders.map(({ effect }) => effect));
  const [row] = await pool().query<{ state: string; cause_code: string | null }[]>(
    'SELECT state, cause_code FROM mission.mission WHERE id = $1',
    [id],
  );
  return { effects, ...row };
}

const lastCall = async (id: string, method: string) => {
  const [call] = await pool().query<{ late_ms: number }[]>(
    `SELECT (extract(epoch FROM c.not_after - m.deadline) * 1000)::integer AS late_ms
       FROM mission.dock_call c JOIN mission.mission m ON m.id = c.mission_id
      WHERE m.id = $1 AND c.method = $2 ORDER BY c.claimed_at DESC LIMIT 1`,
    [id, method],
  );
  return call?.late_ms;
};

it('tells a dock of an immediate mission at once, and lets the prepare leave before the deadline only', async () => {
  const id = await aMission(pool());
  await age(id, 55);
  expect(await runDue(id)).toEqual({ effects: ['sendPrepare'], state: 'preparing', cause_code: null });
  expect(await lastCall(id, 'flighttask_prepare')).toBe(0);
});

it('lets the execute of an immediate mission leave before the deadline only', async () => {
  const id = await aMission(pool());
  await apply(pool(), id, { type: 'prepareDue' });
  await apply(pool(), id, { type: 'prepareAccepted', edition: 1 });
  expect(await runDue(id)).toEqual({ effects: ['sendExecute'], state: 'starting', cause_code: null });
  expect(await lastCall(id, 'flighttask_execute')).toBe(0);
});

it('tells a dock nothing of an immediate mission whose deadline passed while nothing ran', async () => {
  const id = await aMission(pool());
  await age(id, 463);
  expect(await runDue(id)).toEqual({ effects: [], state: 'missed', cause_code: 'start_deadline_passed' });
});

it('starts no immediate mission whose deadline passed after its dock had accepted it', async () => {
  const id = await aMission(pool());
  await apply(pool(), id, { type: 'prepareDue' });
  await apply(pool(), id, { type: 'prepareAccepted', edition: 1 });
  await age(id, 463);
  expect(await runDue(id)).toEqual({ effects: ['sendUndo'], state: 'missed', cause_code: 'start_deadline_passed' });
});
