import { randomUUID } from 'node:crypto';
import type { DockStateView } from '@aerie/bus-contract';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { MINUTE_MS } from '../fixtures/dock-holds.js';
import { ORGANISATION, aDockView, aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';
import { lockMission, readClaimGuards } from '../store/flight-critical.js';
import { CutOffs } from './cut-offs.js';

let pools: DataSource[];
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (number = 0): DataSource => pools[number] as DataSource;
const aDock = (): string => `D-${randomUUID().slice(0, 8)}`;

/** What fleet-service says of a dock; null: it does not answer. */
type Says = ((sn: string) => DockStateView) | null;
const looking = (says: Says) => ({
  look: async (sns: readonly string[]) => {
    if (says === null) throw new Error('nobody answers');
    return new Map(sns.map((sn) => [sn, says(sn)]));
  },
});
const inside =
  (value: unknown, agoMs = 0) =>
  (sn: string): DockStateView => {
    const view = aDockView(sn);
    return { ...view, properties: { ...view.properties, drone_in_dock: { value, agoMs } } };
  };

interface Wish {
  readonly cutOffId?: number;
  readonly untilMs?: number | null;
  readonly notAfterMs?: number;
  readonly organisationId?: string;
}
const grant = (dockSn: string, wish: Wish = {}, says: Says = aDockView, from = pool()) =>
  new CutOffs(from, looking(says)).grant({
    ...{ organisationId: ORGANISATION, dockSn, model: 'dock2', protocolGeneration: '1.15', cutOffId: 1 },
    ...{ untilMs: Date.now() + 10 * MINUTE_MS, notAfterMs: Date.now() + MINUTE_MS, ...wish },
  });
const end = (dockSn: string, cutOffId = 1) => new CutOffs(pool(), looking(aDockView)).end({ dockSn, cutOffId });

/** Whether a claim of this mission would see that its dock is cut off. */
const isHeld = async (id: string) =>
  (await readClaimGuards({ query: (sql, values = []) => pool().query(sql, [...values]) }, [id])).get(id)?.cut_off;

async function aFlight(dockSn: string, events: Parameters<typeof apply>[2]['type'][]): Promise<string> {
  const id = await aMission(pool(), { dockSn });
  for (const type of events) await apply(pool(), id, { type, attempt: 1, edition: 1 } as never);
  return id;
}
const STARTING = ['prepareDue', 'prepareAccepted', 'executeDue'] as const;

it('a dock without a flight may be cut off, and no mission of it starts until then', async () => {
  const dockSn = aDock();
  const id = await aMission(pool(), { dockSn });
  expect(await isHeld(id)).toBe(false);
  await expect(grant(dockSn)).resolves.toEqual({ granted: true, because: null, missionId: null });
  expect(await isHeld(id)).toBe(true);
  await expect(grant(dockSn, { untilMs: Date.now() - 1 })).resolves.toMatchObject({ granted: true });
  expect(await isHeld(id)).toBe(false);
});

it('a dock that no mission ever had may be cut off', async () => {
  await expect(grant(aDock())).resolves.toMatchObject({ granted: true });
});

it.each([
  ['is being started', [...STARTING]],
  ['flies', [...STARTING, 'executeAccepted', 'flightInProgress']],
  ['is paused in the air', [...STARTING, 'executeAccepted', 'flightInProgress', 'flightPaused']],
] as const)('a dock whose mission %s is not cut off', async (_what, events) => {
  const dockSn = aDock();
  const missionId = await aFlight(dockSn, [...events]);
  await expect(grant(dockSn)).resolves.toEqual({ granted: false, because: 'flight', missionId });
  expect(await isHeld(missionId)).toBe(false);
});

it('a dock is not cut off while nobody knows how its flight ended, and is once the aircraft was seen inside', async () => {
  const dockSn = aDock();
  const id = await aMission(pool(), { dockSn });
  const end = `UPDATE mission.mission SET state = 'outcome_unknown', next_action_at = NULL, cause_code = $2 WHERE id = $1`;
  await pool().query(end, [id, 'not_observed']);
  await expect(grant(dockSn)).resolves.toEqual({ granted: false, because: 'unknown_outcome', missionId: id });
  await pool().query(end, [id, 'seen_over']);
  await expect(grant(dockSn)).resolves.toMatchObject({ granted: true });
});

it('a dock that names a flight that was not planned here is not cut off', async () => {
  const dockSn = aDock();
  await aMission(pool(), { dockSn });
  await pool().query(`UPDATE mission.dock SET flight_id = 'by-hand', flight_at = clock_timestamp() WHERE sn = $1`, [
    dockSn,
  ]);
  await expect(grant(dockSn)).resolves.toMatchObject({ granted: false, because: 'other_flight' });
});

it('a dock that said last that its aircraft is out is not cut off, however long ago it said so', async () => {
  await expect(grant(aDock(), {}, inside(0, 60 * MINUTE_MS))).resolves.toMatchObject({ because: 'aircraft_out' });
  await expect(grant(aDock(), {}, inside(1, 60 * MINUTE_MS))).resolves.toMatchObject({ granted: true });
});

it('a dock whose flight has ended since it said that its aircraft is out may be cut off', async () => {
  const dockSn = aDock();
  const id = await aMission(pool(), { dockSn });
  await pool().query(
    `UPDATE mission.mission SET state = 'succeeded', next_action_at = NULL, since = clock_timestamp() - interval '1 minute'
      WHERE id = $1`,
    [id],
  );
  await expect(grant(dockSn, {}, inside(0, MINUTE_MS / 2))).resolves.toMatchObject({ because: 'aircraft_out' });
  await expect(grant(dockSn, {}, inside(0, 2 * MINUTE_MS))).resolves.toMatchObject({ granted: true });
});

it('a dock is not cut off when nobody can say how it is, or when nobody waits for the answer any more', async () => {
  await expect(grant(aDock(), {}, null)).resolves.toMatchObject({ granted: false, because: 'not_known' });
  await expect(grant(aDock(), { notAfterMs: Date.now() - 1 })).resolves.toMatchObject({ granted: false });
});

it("a dock of another organisation's is not cut off", async () => {
  const dockSn = aDock();
  await aMission(pool(), { dockSn });
  await expect(grant(dockSn, { organisationId: randomUUID() })).resolves.toMatchObject({ because: 'not_known' });
});

it('a yes is given again for the same cut-off, also while nobody can look at the dock, and may last until it is ended', async () => {
  const dockSn = aDock();
  const id = await aMission(pool(), { dockSn });
  await grant(dockSn);
  await expect(grant(dockSn, { untilMs: null }, null)).resolves.toMatchObject({ granted: true });
  expect([await isHeld(id), await end(dockSn), await isHeld(id), await end(dockSn)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it('a question that was overtaken by its end, or by a later cut-off, holds nothing back', async () => {
  const dockSn = aDock();
  await grant(dockSn, { cutOffId: 3 });
  await expect(grant(dockSn, { cutOffId: 2 })).resolves.toMatchObject({ granted: false });
  expect([await end(dockSn, 2), await end(dockSn, 3)]).toEqual([false, true]);
  await expect(grant(dockSn, { cutOffId: 3 })).resolves.toMatchObject({ granted: false });
  await expect(grant(dockSn, { cutOffId: 4 })).resolves.toMatchObject({ granted: true });
});

it('a yes waits for a claim that is under way, and is a no once that is committed', async () => {
  const dockSn = aDock();
  const id = await aFlight(dockSn, ['prepareDue', 'prepareAccepted']);
  let answer: Promise<unknown> = Promise.resolve();
  await inTransaction(pool(), async (tx) => {
    await lockMission(tx, id, null);
    answer = grant(dockSn, {}, aDockView, pool(1));
    // The question waits for the lock of the dock by then.
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await tx.query(waiting)).length === 0) await tx.query('SELECT pg_sleep(0.01)');
    await tx.run(`UPDATE mission.mission SET state = 'starting', started_at = clock_timestamp() WHERE id = $1`, [id]);
  });
  await expect(answer).resolves.toEqual({ granted: false, because: 'flight', missionId: id });
});
