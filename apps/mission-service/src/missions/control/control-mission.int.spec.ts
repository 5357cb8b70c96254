import { ApiDatabase } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { aStart, handle, progress } from '../fixtures/dock-words.js';
import { ORGANISATION, aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';
import { RescheduleMission } from '../planning/reschedule-mission.js';
import { CancelMission } from './cancel-mission.js';
import { ControlMission } from './control-mission.js';

let pools: DataSource[];
let api: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, api, drop } = await missionTestDatabase(1));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (): DataSource => pools[0] as DataSource;
const CALLER = { keyId: 'key-1', organisationId: ORGANISATION, roles: ['pilot'], siteIds: null, dockSns: null };
const NO_ORDERS = { run: () => undefined } as never;
const PAUSE = { action: 'pause', reason: null, version: null, parameters: {} } as const;

async function aFlight(): Promise<string> {
  const id = await aMission(pool());
  await apply(pool(), id, { type: 'prepareDue' });
  await apply(pool(), id, { type: 'prepareAccepted', edition: 1 });
  await apply(pool(), id, { type: 'executeDue' });
  await apply(pool(), id, { type: 'flightInProgress' });
  return id;
}

async function aPreparedMission(): Promise<string> {
  const id = await aMission(pool(), { kind: 'timed', executeInMs: 3_600_000 });
  await apply(pool(), id, { type: 'prepareDue' });
  await apply(pool(), id, { type: 'prepareAccepted', edition: 1 });
  return id;
}

/** A service whose requests have waited that long when they hold the mission. */
const serviceAfter = (waitedMs: number): ControlMission => {
  let reads = 0;
  return new ControlMission(new ApiDatabase(api), undefined as never, NO_ORDERS, () => waitedMs * reads++);
};

const pauses = (id: string) =>
  pool().query<{ remaining_ms: number }[]>(
    `SELECT (extract(epoch FROM not_after - claimed_at) * 1000)::integer AS remaining_ms FROM mission.dock_call
      WHERE mission_id = $1 AND method = 'flighttask_pause'`,
    [id],
  );

async function callsOf(id: string): Promise<string[]> {
  const sql = 'SELECT method FROM mission.dock_call WHERE mission_id = $1';
  return (await pool().query<{ method: string }[]>(sql, [id])).map(({ method }) => method);
}

it('gives a command only the time that is left of five seconds since the request', async () => {
  const id = await aFlight();
  await serviceAfter(4_000).execute(CALLER, id, PAUSE);
  const [pause] = await pauses(id);
  expect(pause?.remaining_ms).toBeGreaterThan(0);
  expect(pause?.remaining_ms).toBeLessThanOrEqual(1_000);
});

it('records no command for a request that waited for longer than that', async () => {
  const id = await aFlight();
  await expect(serviceAfter(5_000).execute(CALLER, id, PAUSE)).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'request_waited_too_long',
  });
  expect(await pauses(id)).toEqual([]);
});

it.each(['executing', 'with reports that nobody has written down yet'])(
  'may be asked of a flight, %s, by whoever may only ask',
  async (how) => {
    const flight = await aStart(pool());
    await handle(pool(), [progress(flight, 'in_progress', 5)]);
    if (how !== 'executing')
      await handle(pool(), [progress(flight, 'in_progress', 20), progress(flight, 'in_progress', 30)]);
    const cancel = new CancelMission(new ApiDatabase(api), NO_ORDERS);
    await expect(cancel.execute(CALLER, flight.id, { reason: null, version: null })).rejects.toMatchObject({
      code: 'mission_state',
    });
    await expect(serviceAfter(0).execute(CALLER, flight.id, PAUSE)).resolves.toMatchObject({
      command: { method: 'flighttask_pause' },
    });
  },
);

it('a mission that its dock holds is moved, and called off, by whoever may only ask', async () => {
  const reschedule = new RescheduleMission(new ApiDatabase(api), NO_ORDERS, { records: async () => new Map() });
  const cancel = new CancelMission(new ApiDatabase(api), NO_ORDERS);
  const [moved, calledOff] = [await aPreparedMission(), await aPreparedMission()];
  await expect(reschedule.execute(CALLER, moved, Date.now() + 7_200_000, null)).resolves.toMatchObject({
    state: 'scheduled',
  });
  await expect(cancel.execute(CALLER, calledOff, { reason: 'fog', version: null })).resolves.toMatchObject({
    state: 'canceling',
  });
  for (const id of [moved, calledOff]) expect(await callsOf(id)).toContain('flighttask_undo');
});
