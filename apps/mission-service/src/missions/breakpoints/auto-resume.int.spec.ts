import { randomUUID } from 'node:crypto';
import type { DockFact } from '@aerie/bus-contract';
import { inTransaction, ofAnyOrganisation } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { ORGANISATION, aMission, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';
import { PolicyStore } from '../store/policy.store.js';
import { applyUplinks } from '../uplink/apply-uplinks.js';
import { readUplink } from '../uplink/read-uplink.js';
import { AutoResume } from './auto-resume.js';

let pool: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  ({ owner, drop } = database);
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);
afterEach(() => owner.query('DELETE FROM mission.policy'));

/** Resume at once after strong wind, once in a row. */
const allow = (approval: object = {}) =>
  pool.query(
    `INSERT INTO mission.policy (organisation_id, preflight, auto_resume, approval, revision, updated_by)
     VALUES ($1, '{}', $2, $3, 1, 'spec')`,
    [ORGANISATION, JSON.stringify({ onBreakReasons: [784], atMost: 1, afterMs: 0 }), JSON.stringify(approval)],
  );

async function aFlight(): Promise<string> {
  const id = await aMission(pool);
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  await apply(pool, id, { type: 'executeDue' });
  await apply(pool, id, { type: 'flightInProgress' });
  return id;
}

/** The dock says that strong wind ended the flight halfway; `then` runs in the same transaction. */
async function windEnds(id: string, then: () => void = () => undefined): Promise<void> {
  const [mission] = await pool.query<{ dock_sn: string }[]>('SELECT dock_sn FROM mission.mission WHERE id = $1', [id]);
  const sn = mission?.dock_sn ?? '';
  const point = { index: 1, state: 0, progress: 0.5, wayline_id: 0, break_reason: 784, latitude: 47.3, longitude: 8.5 };
  const ext = { flight_id: id, break_point: point };
  const output = { status: 'failed', progress: { percent: 50, current_step: 1 }, ext };
  const fact: DockFact = {
    ...{ v: 1, sn, topic: `thing/product/${sn}/events`, channel: 'events', method: 'flighttask_progress' },
    ...{ tid: randomUUID(), bid: null, timestampMs: null, receivedAtMs: Date.now(), needReply: true, gateway: null },
    ...{ raw: '{}', data: { result: 321_784, output } },
  };
  await inTransaction(pool, async (tx) => {
    await applyUplinks(tx, readUplink(fact, sn).uplinks, new AutoResume(new PolicyStore(ofAnyOrganisation(pool))));
    then();
  });
}

const resumedFrom = (id: string) =>
  pool.query<{ id: string; state: string }[]>('SELECT id, state FROM mission.mission WHERE resumed_from = $1', [id]);

it('plans nothing by itself after a flight that stopped, unless a policy says so', async () => {
  const id = await aFlight();
  await windEnds(id);
  expect([await stateOf(pool, id), await resumedFrom(id)]).toEqual(['failed', []]);
});

it('plans the new mission in the transaction in which the old one ends: both are written, or neither', async () => {
  await allow();
  const id = await aFlight();
  const failure = new Error('the transaction fails at its end');
  await expect(
    windEnds(id, () => {
      throw failure;
    }),
  ).rejects.toBe(failure);
  expect([await stateOf(pool, id), await resumedFrom(id)]).toEqual(['executing', []]);
  await windEnds(id);
  expect([await stateOf(pool, id), await resumedFrom(id)]).toMatchObject(['failed', [{ state: 'scheduled' }]]);
});

it.each([
  ['planned', 'scheduled'],
  ['all', 'awaiting_approval'],
])('plans the new mission under a policy that asks for approvals of %s missions: it is %s', async (missions, state) => {
  await allow({ missions });
  const id = await aFlight();
  await windEnds(id);
  expect(await resumedFrom(id)).toMatchObject([{ state }]);
});

it('goes on no more often in a row than the policy allows', async () => {
  await allow();
  const first = await aFlight();
  await windEnds(first);
  const [second] = await resumedFrom(first);
  const id = second?.id ?? '';
  for (const event of [
    { type: 'prepareDue' },
    { type: 'prepareAccepted', edition: 1 },
    { type: 'flightInProgress' },
  ] as const)
    await apply(pool, id, event);
  await windEnds(id);
  expect([await stateOf(pool, id), await resumedFrom(id)]).toEqual(['failed', []]);
});
