import { ACTIVE_STATES, type MissionState, STATES, isOutcome } from '@aerie/mission-core';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import type { DataSource } from 'typeorm';
import { ORGANISATION, aMission, missionTestDatabase } from '../fixtures/mission-database.js';
import { MissionReadModel } from './mission.read-model.js';

/** Missions that were flown since, through which no list by another state must look. */
const FLOWN = 5_000;

let owner: DataSource;
let database: ApiDatabase;
let drop: () => Promise<void>;
const ofState = new Map<MissionState, string>();
beforeAll(async () => {
  const { api, drop: dropDatabase, ...made } = await missionTestDatabase(0);
  ({ owner } = made);
  database = new ApiDatabase(api);
  drop = dropDatabase;
  for (const state of STATES) {
    const id = await aMission(owner);
    ofState.set(state, id);
    await owner.query(
      `UPDATE mission.mission SET state = $2, created_at = now() - interval '1 day',
              next_action_at = CASE WHEN $3 THEN NULL ELSE now() + interval '1 day' END WHERE id = $1`,
      [id, state, isOutcome(state)],
    );
  }
  await fill(owner, (tx) =>
    tx.run(
      `INSERT INTO mission.mission (id, organisation_id, dock_sn, wayline_id, name, kind, state, revision, prepare_at, deadline,
         prepare_count, attempt, undo_count, since, rth_altitude_meters, exit_on_rc_lost, positioning, created_by)
       SELECT gen_random_uuid(), organisation_id, dock_sn, wayline_id, name, kind, 'succeeded', 9, prepare_at, deadline, 1, 1, 0,
              since, rth_altitude_meters, exit_on_rc_lost, positioning, created_by
         FROM mission.mission, generate_series(1, $2::integer) WHERE id = $1`,
      [ofState.get('succeeded'), FLOWN],
    ),
  );
  await owner.query('VACUUM ANALYZE mission.mission');
}, 60_000);
afterAll(() => drop(), 30_000);

interface Explained {
  readonly 'QUERY PLAN': readonly {
    readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
  }[];
}

/** Lists missions as a screen does; with the pages that the list looked at. */
async function listed(
  states: readonly MissionState[] | undefined,
  sort: '-createdAt' | '-time' = '-createdAt',
  untilMs?: number,
): Promise<{ ids: string[]; pages: number }> {
  let pages = NaN;
  const own = database.of(wholeOf(ORGANISATION));
  const query = async (sql: string, parameters: unknown[] = []): Promise<unknown[]> => {
    if (sql.includes('AS position')) {
      const [row] = await own.query<Explained>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, parameters);
      const plan = row?.['QUERY PLAN'][0]?.Plan;
      pages = (plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN);
    }
    return own.query(sql, parameters);
  };
  const counting = { of: () => ({ query }) } as unknown as ApiDatabase;
  const filter = {
    dockSn: undefined,
    states,
    kind: undefined,
    waylineId: undefined,
    fromMs: undefined,
    untilMs,
  };
  const { items } = await new MissionReadModel(counting).list(wholeOf(ORGANISATION), filter, sort, 50, null);
  return { ids: items.map(({ id }) => id), pages };
}

const rare = STATES.filter((state) => state !== 'succeeded');
const LISTS: readonly (readonly MissionState[])[] = [
  ...rare.map((state) => [state]),
  [...ACTIVE_STATES],
  ['scheduled', 'executing'],
  ['executing', 'paused'],
  ['failed', 'executing'],
  rare,
];

it.each(LISTS.map((states) => [states.join(', '), states] as const))(
  'lists missions that are %s without looking through those that were flown',
  async (_, states) => {
    const { ids, pages } = await listed(states);
    expect([...ids].sort()).toEqual(states.map((state) => ofState.get(state) ?? '').sort());
    // All pages of the table are some hundreds.
    expect(pages).toBeLessThan(60);
  },
);

it('lists those of all states, and none where no state is asked for', async () => {
  expect((await listed(STATES)).ids).toHaveLength(50);
  expect((await listed([])).ids).toEqual([]);
});

it('a list by time begins where it is told, and does not look through what came later', async () => {
  const { ids, pages } = await listed(undefined, '-time', Date.now() - 12 * 3_600_000);
  expect(ids).toHaveLength(STATES.length);
  expect(pages).toBeLessThan(100);
});
