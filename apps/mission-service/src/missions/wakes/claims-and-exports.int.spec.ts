import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { DockHolds } from '../dock-holds/dock-holds.js';
import { MINUTE_MS, accept, toldOf } from '../fixtures/dock-holds.js';
import { type Replica, aReplica, executes } from '../fixtures/due-replica.js';
import {
  ORGANISATION,
  aDockView,
  aMission,
  apply,
  missionTestDatabase,
  stateOf,
} from '../fixtures/mission-database.js';

let pools: DataSource[];
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (number: number): DataSource => pools[number] as DataSource;
const aDock = (): string => `D-${randomUUID().slice(0, 8)}`;
const take = (dockSn: string, yields = true, holderId = randomUUID()) =>
  new DockHolds(pool(1)).take({
    ...{ organisationId: ORGANISATION, dockSn, model: 'dock2', protocolGeneration: '1.15', holderId },
    ...{ forMs: 60 * MINUTE_MS, notAfterMs: Date.now() + MINUTE_MS, yields, generation: 1 },
  });
const release = (dockSn: string, holderId: string) =>
  new DockHolds(pool(1)).release({ dockSn, holderId, generation: 1 });

/** Looks at a mission as if its time had come. */
async function look(id: string, one: Replica): Promise<void> {
  await pool(0).query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  await one.runner.run([id]);
}

async function prepare(id: string): Promise<string> {
  await apply(pool(0), id, { type: 'prepareDue' });
  await apply(pool(0), id, { type: 'prepareAccepted', edition: 1 });
  return id;
}

async function aReadyConditional(dockSn: string): Promise<string> {
  const id = await prepare(await accept(pool(0), { dockSn, conditional: true }));
  await apply(pool(0), id, { type: 'flightReady' });
  return id;
}

describe('a mission that was planned over an export', () => {
  it('is held back until the dock is given back, though the export was told to end long before', async () => {
    const [dockSn, holderId] = [aDock(), randomUUID()];
    await take(dockSn, true, holderId);
    const id = await prepare(await accept(pool(0), { dockSn }));
    expect(await toldOf(pool(0), dockSn)).toMatchObject([{ missionId: id, holderId }]);
    const one = aReplica(pool(0));
    await look(id, one);
    expect([executes(one), await stateOf(pool(0), id)]).toEqual([[], 'prepared']);

    await release(dockSn, holderId);
    await look(id, one);
    expect(executes(one)).toEqual([id]);
  });

  it('is held back no longer than the dock was lent for, even if nobody gives it back', async () => {
    const dockSn = aDock();
    await take(dockSn);
    const id = await prepare(await accept(pool(0), { dockSn }));
    await pool(0).query(
      `UPDATE mission.dock_reservation SET during = tstzrange(now() - interval '1 hour', now())
        WHERE dock_sn = $1 AND holder_kind = 'log_upload'`,
      [dockSn],
    );
    const one = aReplica(pool(0));
    await look(id, one);
    expect(executes(one)).toEqual([id]);
  });
});

describe('a conditional mission whose dock has begun to export', () => {
  /** Its dock becomes ready while it exports. */
  async function aHeldMission(yields: boolean) {
    const [dockSn, holderId] = [aDock(), randomUUID()];
    const id = await accept(pool(0), { dockSn, conditional: true });
    await take(dockSn, yields, holderId);
    await prepare(id);
    await apply(pool(0), id, { type: 'flightReady' });
    return { dockSn, holderId, id };
  }

  it('calls for its dock once, however often it is looked at, and starts when it is given back', async () => {
    const { dockSn, holderId, id } = await aHeldMission(true);
    const one = aReplica(pool(0));
    for (let turn = 0; turn < 3; turn++) await look(id, one);
    expect(executes(one)).toEqual([]);
    expect(await toldOf(pool(0), dockSn)).toMatchObject([{ missionId: id, holderId }]);

    await release(dockSn, holderId);
    await look(id, one);
    expect(executes(one)).toEqual([id]);
  });

  it('waits for an export that does not give way', async () => {
    const { dockSn, id } = await aHeldMission(false);
    const one = aReplica(pool(0));
    await look(id, one);
    expect([executes(one), await toldOf(pool(0), dockSn)]).toEqual([[], []]);
  });

  it('ends no export while it rains, because it would not start anyway', async () => {
    const { dockSn, id } = await aHeldMission(true);
    const properties = { ...aDockView('x').properties, rainfall: { value: 3, agoMs: 0 } };
    await look(id, aReplica(pool(0), { properties }));
    expect(await toldOf(pool(0), dockSn)).toEqual([]);
  });
});

it('gives a dock either to a start or to an export that are asked for in the same instant', async () => {
  const outcomes = new Set<string>();
  // A start reads a little before it locks; how long that takes is found out, so that either may come first.
  let laterMs = 0;
  for (let round = 0; round < 60; round++) {
    const dockSn = aDock();
    const id = await prepare(await aMission(pool(0), { dockSn }));
    const one = aReplica(pool(0));
    const starting = () => one.runner.run([id]);
    const taking = async () => {
      if (laterMs > 0) await pool(1).query('SELECT pg_sleep($1)', [laterMs / 1_000]);
      return (await take(dockSn)).untilMs !== null;
    };
    const [isTaken] = await Promise.all([taking(), starting()]);
    expect(executes(one)).toEqual(isTaken ? [] : [id]);
    outcomes.add(isTaken ? 'exports' : 'starts');
    laterMs = isTaken ? laterMs * 2 + 1 : Math.floor(laterMs / 2);
  }
  expect([...outcomes].sort()).toEqual(['exports', 'starts']);
}, 60_000);

it('gives no dock to an export while a conditional mission is ready to start', async () => {
  const dockSn = aDock();
  const id = await aReadyConditional(dockSn);
  const one = aReplica(pool(0));
  const [taken] = await Promise.all([take(dockSn), one.runner.run([id])]);
  // A look passes over a dock that somebody has locked; the next one finds it.
  await one.runner.run([id]);
  expect(taken.untilMs).toBeNull();
  expect(executes(one)).toEqual([id]);
});
