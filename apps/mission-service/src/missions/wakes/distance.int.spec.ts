import type { DockStateView } from '@aerie/bus-contract';
import type { DataSource } from 'typeorm';
import { type Replica, aReplica, executes } from '../fixtures/due-replica.js';
import { PLACE, aDockView, aMission, aRoute, apply, missionTestDatabase } from '../fixtures/mission-database.js';

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  pool = database.pools[0] as DataSource;
  drop = database.drop;
}, 60_000);
afterAll(() => drop(), 30_000);

const UNKNOWN = { position: null };
const kept = (position: typeof PLACE): Partial<DockStateView> => ({
  position: { ...position, source: 'operator', setAt: new Date(0).toISOString() },
});

async function aPrepared(kind: 'immediate' | 'timed'): Promise<string> {
  const id = await aMission(pool, kind === 'timed' ? { kind, executeInMs: 1_000 } : { kind });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  return id;
}

/** Looks at a mission now, whatever its time. */
async function look(id: string, view: Partial<DockStateView>): Promise<Replica> {
  await pool.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  const replica = aReplica(pool, view);
  await replica.runner.run([id]);
  return replica;
}

const rowOf = async (id: string) => {
  const [row] = await pool.query<{ cause_code: string | null; verdicts: Record<string, { failed: string[] }> }[]>(
    'SELECT cause_code, verdicts FROM mission.mission WHERE id = $1',
    [id],
  );
  return { cause: row?.cause_code, failed: row?.verdicts['execute']?.failed };
};
const HELD = { cause: 'preflight_no_go', failed: ['distance'] };

it.each(['immediate', 'timed'] as const)('starts no %s mission whose route is far from its dock', async (kind) => {
  const id = await aPrepared(kind);
  expect(executes(await look(id, kept({ latitude: 46.5, longitude: 96.5 })))).toEqual([]);
  // No battery holds the way there and back either.
  expect(await rowOf(id)).toEqual({ ...HELD, failed: ['distance', 'battery'] });
  expect(executes(await look(id, kept(PLACE)))).toEqual([id]);
});

it('holds a timed mission while the position of its dock is unknown, and starts it once an operator entered it', async () => {
  const id = await aPrepared('timed');
  expect(executes(await look(id, UNKNOWN))).toEqual([]);
  expect(await rowOf(id)).toEqual(HELD);
  expect(executes(await look(id, kept(PLACE)))).toEqual([id]);
});

it('starts a mission that a person asked for while the position of its dock is unknown', async () => {
  const id = await aPrepared('immediate');
  expect(executes(await look(id, UNKNOWN))).toEqual([id]);
});

it('takes what the dock said itself when fleet-service keeps no position', async () => {
  const id = await aPrepared('timed');
  const saying = (latitude: unknown, longitude: unknown): Partial<DockStateView> => {
    const said = { latitude: { value: latitude, agoMs: 0 }, longitude: { value: longitude, agoMs: 0 } };
    return { position: undefined, properties: { ...aDockView('x').properties, ...said } };
  };
  expect(executes(await look(id, saying(0, 0)))).toEqual([]);
  expect(executes(await look(id, saying(46.5, 96.5)))).toEqual([]);
  expect(executes(await look(id, saying(PLACE.latitude, PLACE.longitude)))).toEqual([id]);
});

it('starts nothing by itself whose route cannot be read', async () => {
  const id = await aPrepared('timed');
  await pool.query(`UPDATE mission.wayline SET route = '{}'`);
  expect(executes(await look(id, kept(PLACE)))).toEqual([]);
  expect(await rowOf(id)).toEqual(HELD);
});

it('asks at take-off for the charge of the way there and back, also where it was planned without it', async () => {
  const id = await aPrepared('timed');
  await pool.query('UPDATE mission.wayline SET route = $1', [JSON.stringify(aRoute(PLACE))]);
  // 4.9 km there and back at 7.5 m/s are 22 minutes: 64 percent with the reserve, and 30 without the way.
  const away = { ...PLACE, latitude: PLACE.latitude - 0.043 };
  const charged = (percent: number): Partial<DockStateView> => ({
    ...kept(away),
    properties: {
      ...aDockView('x').properties,
      drone_charge_state: { value: { capacity_percent: percent }, agoMs: 0 },
    },
  });
  expect(executes(await look(id, charged(60)))).toEqual([]);
  expect(await rowOf(id)).toEqual({ ...HELD, failed: ['battery'] });
  expect(executes(await look(id, charged(70)))).toEqual([id]);
});
