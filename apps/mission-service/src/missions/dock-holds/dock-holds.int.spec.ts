import { randomUUID } from 'node:crypto';
import { inTransaction, ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { AfterCommit } from '../downlink/after-commit.js';
import { MINUTE_MS, type PlanSetUp, accept, aPlan, toldOf } from '../fixtures/dock-holds.js';
import { ORGANISATION, aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';
import { insertMission } from '../planning/insert-missions.js';
import { PlanMission } from '../planning/plan-mission.js';
import { RescheduleMission } from '../planning/reschedule-mission.js';
import { DockHolds } from './dock-holds.js';

let pools: DataSource[];
let api: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, api, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (number: number): DataSource => pools[number] as DataSource;
const aDock = (): string => `D-${randomUUID().slice(0, 8)}`;

interface Wish {
  readonly dockSn: string;
  readonly holderId?: string;
  readonly forMs?: number;
  readonly yields?: boolean;
  readonly organisationId?: string;
  readonly generation?: number;
  readonly notAfterMs?: number;
}

const take = ({ holderId = randomUUID(), forMs = 60 * MINUTE_MS, yields = true, ...wish }: Wish, from = pool(0)) =>
  new DockHolds(from).take({
    ...{ organisationId: ORGANISATION, model: 'dock2', protocolGeneration: '1.15', holderId, forMs, yields },
    ...{ generation: 1, notAfterMs: Date.now() + MINUTE_MS, ...wish },
  });
const release = (dockSn: string, holderId: string) =>
  new DockHolds(pool(0)).release({ dockSn, holderId, generation: 1 });

interface Reservation {
  readonly holder_id: string;
  readonly until_at: Date;
  readonly is_withdrawn: boolean;
}
const exportsOf = (dockSn: string): Promise<Reservation[]> =>
  pool(0).query(
    `SELECT holder_id, upper(during) AS until_at, withdrawn_at IS NOT NULL AS is_withdrawn
       FROM mission.dock_reservation WHERE dock_sn = $1 AND holder_kind = 'log_upload'`,
    [dockSn],
  );

/** A dock that is lent for an hour, and who has it. */
async function aLentDock(yields = true): Promise<{ dockSn: string; holderId: string }> {
  const [dockSn, holderId] = [aDock(), randomUUID()];
  await expect(take({ dockSn, holderId, yields })).resolves.toMatchObject({ refusal: null });
  return { dockSn, holderId };
}

describe('a dock that nobody needs', () => {
  it('is not lent to somebody who waits for it no more', async () => {
    const dockSn = aDock();
    await expect(take({ dockSn, notAfterMs: Date.now() - 1 })).rejects.toMatchObject({ code: 'too_late' });
    expect(await exportsOf(dockSn)).toEqual([]);
  });

  it('is lent from now until the instant that is told, and longer when that is asked', async () => {
    const { dockSn, holderId } = await aLentDock();
    const { untilMs } = await take({ dockSn, holderId, forMs: 90 * MINUTE_MS });
    expect(untilMs).toBeGreaterThan(Date.now() + 89 * MINUTE_MS);
    await expect(exportsOf(dockSn)).resolves.toEqual([
      { holder_id: holderId, until_at: new Date(untilMs ?? 0), is_withdrawn: false },
    ]);
  });

  it('is lent to somebody else only once it was given back, which may be told twice', async () => {
    const { dockSn, holderId } = await aLentDock();
    const [{ until_at }] = (await exportsOf(dockSn)) as [Reservation];
    const refusal = { because: 'log_upload', holderId, freeAtMs: until_at.getTime() };
    await expect(take({ dockSn })).resolves.toEqual({ untilMs: null, refusal });
    expect([await release(dockSn, holderId), await release(dockSn, holderId)]).toEqual([true, false]);
    await expect(take({ dockSn })).resolves.toMatchObject({ refusal: null });
  });

  it('is not given back by a release that was on its way when it was taken anew', async () => {
    const { dockSn, holderId } = await aLentDock();
    await take({ dockSn, holderId, generation: 2 });
    expect(await release(dockSn, holderId)).toBe(false);
    await expect(exportsOf(dockSn)).resolves.toMatchObject([{ holder_id: holderId }]);
  });

  it('is lent to nobody of another organisation, and nothing of it is changed', async () => {
    const { dockSn, holderId } = await aLentDock();
    await release(dockSn, holderId);
    const stranger = { dockSn, organisationId: randomUUID(), model: 'dock3' };
    await expect(take(stranger)).rejects.toMatchObject({ kind: 'invalid', fields: [{ field: 'dockSn' }] });
    const docks = await pool(0).query<unknown[]>('SELECT model FROM mission.dock WHERE sn = $1', [dockSn]);
    expect(docks).toEqual([{ model: 'dock2' }]);
  });

  it('is lent to nobody who has another dock', async () => {
    const { holderId } = await aLentDock();
    await expect(take({ dockSn: aDock(), holderId })).rejects.toMatchObject({ fields: [{ field: 'holderId' }] });
  });
});

describe('a dock with a mission', () => {
  it('is lent up to the mission and not beyond', async () => {
    const dockSn = aDock();
    const missionId = await accept(pool(0), { dockSn, executeInMs: 30 * MINUTE_MS });
    const { refusal } = await take({ dockSn, forMs: 60 * MINUTE_MS });
    expect(refusal).toMatchObject({ because: 'mission', holderId: missionId });
    // The mission's own time and its margins: then it may be asked again.
    expect(refusal?.freeAtMs).toBeGreaterThan(Date.now() + 30 * MINUTE_MS);
    await expect(take({ dockSn, forMs: 20 * MINUTE_MS })).resolves.toMatchObject({ refusal: null });
  });

  it('is not lent longer than until the mission, and stays lent for as long as it was', async () => {
    const [dockSn, holderId] = [aDock(), randomUUID()];
    await accept(pool(0), { dockSn, executeInMs: 30 * MINUTE_MS });
    const { untilMs } = await take({ dockSn, holderId, forMs: 10 * MINUTE_MS });
    await expect(take({ dockSn, holderId })).resolves.toMatchObject({ refusal: { because: 'mission' } });
    expect((await exportsOf(dockSn)).map(({ until_at }) => until_at.getTime())).toEqual([untilMs]);
  });

  it('is not lent while it flies, whatever was reserved', async () => {
    const [reserved, unreserved] = [aDock(), aDock()];
    const ids = [await accept(pool(0), { dockSn: reserved }), await aMission(pool(0), { dockSn: unreserved })];
    for (const id of ids) await apply(pool(0), id, { type: 'flightInProgress' });
    await expect(take({ dockSn: unreserved })).resolves.toEqual({
      untilMs: null,
      refusal: { because: 'flight', holderId: ids[1], freeAtMs: null },
    });
    const { refusal } = await take({ dockSn: reserved });
    expect(refusal).toMatchObject({ because: 'flight', holderId: ids[0], freeAtMs: expect.any(Number) });
  });

  it('is not lent while it is told of its flight', async () => {
    const dockSn = aDock();
    const id = await aMission(pool(0), { dockSn });
    await apply(pool(0), id, { type: 'prepareDue' });
    await expect(take({ dockSn })).resolves.toMatchObject({ refusal: { because: 'mission', holderId: id } });
  });

  it('is not lent while a conditional mission may start any moment, though that has reserved nothing', async () => {
    const dockSn = aDock();
    const id = await accept(pool(0), { dockSn, conditional: true });
    await expect(take({ dockSn, forMs: 1_000 })).resolves.toMatchObject({ refusal: null });
    await apply(pool(0), id, { type: 'prepareDue' });
    await apply(pool(0), id, { type: 'flightReady' });
    await expect(take({ dockSn })).resolves.toMatchObject({ refusal: { because: 'mission', holderId: id } });
  });
});

describe('a mission over an export that gives way', () => {
  it('is accepted, takes the dock back, and tells by when it is needed', async () => {
    const { dockSn, holderId } = await aLentDock();
    const missionId = await accept(pool(0), { dockSn, executeInMs: 30 * MINUTE_MS });
    const [{ from_at: neededAt }] = await pool(0).query<[{ from_at: Date }]>(
      'SELECT lower(during) AS from_at FROM mission.dock_reservation WHERE holder_id = $1',
      [missionId],
    );
    expect(await toldOf(pool(0), dockSn)).toEqual([{ missionId, dockSn, holderId, neededAt: neededAt.toISOString() }]);
    await expect(exportsOf(dockSn)).resolves.toMatchObject([{ holder_id: holderId, is_withdrawn: true }]);
  });

  it('keeps the export from going on longer, and everybody else from the dock, until it is given back', async () => {
    const { dockSn, holderId } = await aLentDock();
    await accept(pool(0), { dockSn, executeInMs: 50 * MINUTE_MS });
    await expect(take({ dockSn, holderId, forMs: MINUTE_MS })).resolves.toMatchObject({
      refusal: { because: 'withdrawn' },
    });
    await expect(take({ dockSn, forMs: MINUTE_MS })).resolves.toMatchObject({
      refusal: { because: 'log_upload', holderId },
    });
    await release(dockSn, holderId);
    await expect(take({ dockSn, holderId, forMs: MINUTE_MS })).resolves.toMatchObject({ refusal: null });
  });

  it('tells again only when another mission needs the dock sooner', async () => {
    const { dockSn } = await aLentDock();
    for (const executeInMs of [40, 20, 50].map((minutes) => minutes * MINUTE_MS)) {
      await accept(pool(0), { dockSn, executeInMs });
    }
    const [first, second, ...others] = (await toldOf(pool(0), dockSn)).map(({ neededAt }) => Date.parse(neededAt));
    expect((first ?? 0) - (second ?? 0)).toBeGreaterThan(19 * MINUTE_MS);
    expect(others).toEqual([]);
  });

  it('is previewed without a conflict, and the preview takes nothing back', async () => {
    const { dockSn } = await aLentDock();
    const plan = await aPlan(pool(0), { dockSn, executeInMs: 30 * MINUTE_MS });
    const preview = new PlanMission({ database: new ApiDatabase(api) } as never);
    await expect(preview.conflicts(wholeOf(ORGANISATION), plan)).resolves.toEqual({
      holders: [],
      earliestExecuteAt: null,
    });
    await expect(exportsOf(dockSn)).resolves.toMatchObject([{ is_withdrawn: false }]);
  });

  it('may also come there by a change of its time, but not by one that is refused', async () => {
    const { dockSn } = await aLentDock();
    const moves = new RescheduleMission(new ApiDatabase(api), { run: () => undefined } as unknown as AfterCommit, {
      records: async () => new Map(),
    });
    const [late, flying] = [
      await accept(pool(0), { dockSn, executeInMs: 180 * MINUTE_MS }),
      await accept(pool(0), { dockSn, executeInMs: 240 * MINUTE_MS }),
    ];
    await apply(pool(0), flying, { type: 'flightInProgress' });
    const caller = { keyId: 'spec', organisationId: ORGANISATION, roles: ['pilot'], siteIds: null, dockSns: null };
    const move = (id: string) => moves.execute(caller, id, Date.now() + 30 * MINUTE_MS, null);
    await expect(move(flying)).rejects.toMatchObject({ code: 'mission_state' });
    expect(await toldOf(pool(0), dockSn)).toEqual([]);
    await move(late);
    expect(await toldOf(pool(0), dockSn)).toMatchObject([{ missionId: late }]);
  });
});

describe('a mission over an export that does not give way', () => {
  it('is refused as over another mission, in the preview too, and the export goes on', async () => {
    const { dockSn, holderId } = await aLentDock(false);
    const wish = { dockSn, executeInMs: 30 * MINUTE_MS };
    await expect(accept(pool(0), wish)).rejects.toMatchObject({
      code: 'dock_taken',
      details: { conflicts: [{ kind: 'log_upload', id: holderId }] },
    });
    const preview = new PlanMission({ database: new ApiDatabase(api) } as never);
    await expect(preview.conflicts(wholeOf(ORGANISATION), await aPlan(pool(0), wish))).resolves.toMatchObject({
      holders: [{ holder_id: holderId }],
    });
    await expect(exportsOf(dockSn)).resolves.toMatchObject([{ is_withdrawn: false }]);
    expect(await toldOf(pool(0), dockSn)).toEqual([]);
  });
});

async function knowDock(dockSn: string): Promise<void> {
  const holderId = randomUUID();
  await take({ dockSn, holderId });
  await release(dockSn, holderId);
}

/** Plans and takes in the same instant, on two connections; says what became of both. */
async function race(round: number, yields: boolean) {
  const wish: PlanSetUp = { dockSn: aDock(), executeInMs: 30 * MINUTE_MS };
  // A dock that neither has heard of is one race more: both write it down.
  if (round % 4 < 2) await knowDock(wish.dockSn);
  const planned = await aPlan(pool(0), wish);
  const planning = () =>
    inTransaction(pool(0), (tx) => insertMission(tx, planned, null)).then(
      () => true,
      () => false,
    );
  const taking = () => take({ dockSn: wish.dockSn, yields }, pool(1)).then(({ untilMs }) => untilMs !== null);
  // Whoever is asked first is mostly first.
  const [isPlanned, isTaken] =
    round % 2 === 0
      ? await Promise.all([planning(), taking()])
      : (await Promise.all([taking(), planning()])).toReversed();
  return { isPlanned, isTaken, told: (await toldOf(pool(0), wish.dockSn)).length };
}

describe('planning and taking in the same instant', () => {
  it('either refuses the export or takes the dock back from it, never neither and never both', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const { isPlanned, isTaken, told } = await race(round, true);
      expect({ isPlanned, told }).toEqual({ isPlanned: true, told: isTaken ? 1 : 0 });
      outcomes.add(isTaken ? 'taken back' : 'refused');
    }
    expect([...outcomes].sort()).toEqual(['refused', 'taken back']);
  }, 60_000);

  it('gives a dock to exactly one of them where the export does not give way', async () => {
    for (let round = 0; round < 60; round++) {
      const { isPlanned, isTaken, told } = await race(round, false);
      expect({ both: isPlanned && isTaken, neither: !isPlanned && !isTaken, told }).toEqual({
        both: false,
        neither: false,
        told: 0,
      });
    }
  }, 60_000);
});
