import type { DockStateView } from '@aerie/bus-contract';
import type { DataSource } from 'typeorm';
import { aReplica, executes } from '../fixtures/due-replica.js';
import { aDockView, aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

/** Told ten seconds ago, accepted eight seconds ago. */
async function aPrepared(dockSn: string): Promise<string> {
  const id = await aMission(pool, { dockSn });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  await pool.query(
    `UPDATE mission.dock_call SET claimed_at = now() - interval '10 s', reply_at = now() - interval '8 s', reply_result = 0
      WHERE mission_id = $1 AND method = 'flighttask_prepare'`,
    [id],
  );
  return id;
}

/** What a dock says that was idle until nine seconds ago and has opened its cover since the seventh. */
const OPENED = { mode_code: 4, flighttask_step_code: 5, cover_state: 1 };

function saying(values: Readonly<Record<string, unknown>>, more: Partial<DockStateView> = {}): Partial<DockStateView> {
  const told = Object.entries(values).map(([name, value]) => [name, { value, agoMs: 500 }] as const);
  const properties = { ...aDockView('x').properties, ...Object.fromEntries(told) };
  return { properties, idleAgoMs: 9_000, busyForMs: 7_000, ...more };
}

let count = 0;
const aSn = (): string => `OPENS-${++count}`;

async function starts(id: string, view: Partial<DockStateView>): Promise<boolean> {
  const replica = aReplica(pool, view);
  await replica.runner.run([id]);
  return executes(replica).includes(id);
}

describe('a dock that opens as soon as it has accepted a mission', () => {
  it.each([5, 0])('is started, at step %p', async (step) => {
    expect(await starts(await aPrepared(aSn()), saying({ ...OPENED, flighttask_step_code: step }))).toBe(true);
  });

  it.each([
    ['its aircraft is out', saying({ ...OPENED, drone_in_dock: 0 })],
    ['its task is in flight', saying({ ...OPENED, flighttask_step_code: 1 })],
    ['its task recovers an aircraft', saying({ ...OPENED, flighttask_step_code: 2 })],
    ['it does not say what its task does', saying({ ...OPENED, flighttask_step_code: undefined })],
    ['it is debugged', saying({ ...OPENED, mode_code: 2 })],
    ['it was busy before it accepted the mission', saying(OPENED, { busyForMs: 8_500 })],
    ['it was not seen idle when it was told', saying(OPENED, { idleAgoMs: 60_000 })],
    ['nobody knows when it was idle', saying(OPENED, { idleAgoMs: null, busyForMs: null })],
    ['an older fleet-service does not say it', saying(OPENED, { idleAgoMs: undefined, busyForMs: undefined })],
  ])('is busy where %s', async (_what, view) => {
    expect(await starts(await aPrepared(aSn()), view)).toBe(false);
  });

  it('is busy where it has named another flight since it was told', async () => {
    const dockSn = aSn();
    const id = await aPrepared(dockSn);
    const named = (ago: string) =>
      pool.query(`UPDATE mission.dock SET flight_id = 'by-hand', flight_at = now() - $2::interval WHERE sn = $1`, [
        dockSn,
        ago,
      ]);
    await named('9 s');
    expect(await starts(id, saying(OPENED))).toBe(false);
    await named('11 s');
    await pool.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
    expect(await starts(id, saying(OPENED))).toBe(true);
  });

  it('is busy where it was told of another mission too, until that is over and forgotten', async () => {
    const dockSn = aSn();
    const id = await aPrepared(dockSn);
    const other = await aPrepared(dockSn);
    const lookAgain = () => pool.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
    expect(await starts(id, saying(OPENED))).toBe(false);
    await apply(pool, other, { type: 'windowClosed' });
    await lookAgain();
    expect(await starts(id, saying(OPENED))).toBe(false);
    await pool.query('UPDATE mission.dock_call SET next_attempt_at = NULL WHERE mission_id = $1', [other]);
    await lookAgain();
    expect(await starts(id, saying(OPENED))).toBe(true);
  });
});

it('a dock that names a flight of somebody else is not started on telemetry from before, and is once that says idle again', async () => {
  const dockSn = aSn();
  const id = await aPrepared(dockSn);
  await pool.query(`UPDATE mission.dock SET flight_id = 'by-hand', flight_at = now() - interval '3 s' WHERE sn = $1`, [
    dockSn,
  ]);
  const idle = saying({ cover_state: 0 });
  const { properties = {} } = idle;
  const older = { ...idle, properties: { ...properties, mode_code: { value: 0, agoMs: 8_000 } } };
  const newer = { ...idle, properties: { ...properties, mode_code: { value: 0, agoMs: 100 } } };
  expect(await starts(id, older)).toBe(false);
  await pool.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  expect(await starts(id, newer)).toBe(true);
});
