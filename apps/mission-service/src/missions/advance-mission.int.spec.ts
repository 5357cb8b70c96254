import type { MissionEvent } from '@aerie/mission-core';
import type { DataSource } from 'typeorm';
import { aMission, apply, missionTestDatabase, stateOf } from './fixtures/mission-database.js';

let pools: DataSource[];
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, owner, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (number: number): DataSource => {
  const found = pools[number];
  if (found === undefined) throw new Error('there is no such pool');
  return found;
};

const TO_FLIGHT: readonly MissionEvent[] = [
  { type: 'prepareDue' },
  { type: 'prepareAccepted', edition: 1 },
  { type: 'executeDue' },
  { type: 'executeAccepted' },
];

async function aFlight(): Promise<string> {
  const id = await aMission(pool(0));
  for (const event of TO_FLIGHT) await apply(pool(0), id, event);
  return id;
}

it('never loses the terminal when two consumers handle progress and terminal of one mission at the same instant', async () => {
  const rounds = 60;
  for (let round = 0; round < rounds; round++) {
    const id = await aFlight();
    const terminal = (): Promise<unknown> =>
      apply(pool(0), id, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 });
    const progress = (): Promise<unknown> => apply(pool(1), id, { type: 'flightInProgress' });
    await Promise.all(round % 2 === 0 ? [terminal(), progress()] : [progress(), terminal()]);
    expect(await stateOf(pool(0), id)).toBe('succeeded');
  }
}, 60_000);

it('keeps the first of two different terminals that race', async () => {
  const id = await aFlight();
  await Promise.all([
    apply(pool(0), id, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 }),
    apply(pool(1), id, { type: 'flightEnded', outcome: 'failed', dockResult: 321_784 }),
  ]);
  const rows = await pool(0).query<{ to_state: string }[]>(
    `SELECT to_state FROM mission.timeline WHERE mission_id = $1 AND what = 'flightEnded' ORDER BY id`,
    [id],
  );
  expect(rows).toHaveLength(2);
  expect(new Set(rows.map(({ to_state }) => to_state)).size).toBe(1);
  expect(await stateOf(pool(0), id)).toBe(rows[0]?.to_state);
});

it('claims a mission once although two replicas try in the same instant', async () => {
  for (let round = 0; round < 30; round++) {
    const id = await aMission(pool(0));
    await apply(pool(0), id, { type: 'prepareDue' });
    await apply(pool(0), id, { type: 'prepareAccepted', edition: 1 });
    const claims = await Promise.all([
      apply(pool(0), id, { type: 'executeDue' }),
      apply(pool(1), id, { type: 'executeDue' }),
    ]);
    expect(claims.flatMap(({ orders }) => orders)).toHaveLength(1);
    const calls = await pool(0).query<unknown[]>(
      `SELECT 1 FROM mission.dock_call WHERE mission_id = $1 AND method = 'flighttask_execute'`,
      [id],
    );
    expect(calls).toHaveLength(1);
  }
}, 60_000);

it('J2: lets either the cancel or the claim win, never both', async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < 30; round++) {
    const id = await aMission(pool(0));
    await apply(pool(0), id, { type: 'prepareDue' });
    await apply(pool(0), id, { type: 'prepareAccepted', edition: 1 });
    const race = [
      () => apply(pool(0), id, { type: 'cancelRequested' }),
      () => apply(pool(1), id, { type: 'executeDue' }),
    ];
    const results = await Promise.all((round % 2 === 0 ? race : race.reverse()).map((start) => start()));
    expect(results.filter(({ decision }) => decision.kind === 'moved')).toHaveLength(1);
    outcomes.add(await stateOf(pool(0), id));
  }
  expect([...outcomes].every((state) => state === 'canceling' || state === 'starting')).toBe(true);
}, 60_000);

it('J8: lets either the change of time or the claim win, and never starts the old plan after the change', async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < 30; round++) {
    const id = await aMission(pool(0));
    await apply(pool(0), id, { type: 'prepareDue' });
    await apply(pool(0), id, { type: 'prepareAccepted', edition: 1 });
    const atMs = Date.now() + 3_600_000;
    const moved = {
      type: 'rescheduled',
      executeAtMs: atMs,
      prepareAtMs: atMs - 900_000,
      deadlineMs: atMs + 20_000,
    } as const;
    const race = [() => apply(pool(0), id, moved), () => apply(pool(1), id, { type: 'executeDue' })];
    const results = await Promise.all((round % 2 === 0 ? race : race.reverse()).map((start) => start()));
    expect(results.filter(({ decision }) => decision.kind === 'moved')).toHaveLength(1);
    outcomes.add(await stateOf(pool(0), id));
  }
  expect([...outcomes].every((state) => state === 'scheduled' || state === 'starting')).toBe(true);
}, 60_000);

it('J1: sends no execute any more once a mission is called off', async () => {
  const id = await aMission(pool(0));
  await apply(pool(0), id, { type: 'prepareDue' });
  await apply(pool(0), id, { type: 'prepareAccepted', edition: 1 });
  const { orders } = await apply(pool(0), id, { type: 'cancelRequested' });
  expect(orders.map(({ effect }) => effect)).toEqual(['sendUndo']);
  const claim = await apply(pool(1), id, { type: 'executeDue' });
  expect(claim).toMatchObject({ decision: { kind: 'refused' }, orders: [] });
});

it('never lets two missions of one dock fly at once', async () => {
  const dockSn = 'BUSY-1';
  const first = await aMission(pool(0), { dockSn });
  const second = await aMission(pool(0), { dockSn });
  for (const id of [first, second]) {
    await apply(pool(0), id, { type: 'prepareDue' });
    await apply(pool(0), id, { type: 'prepareAccepted', edition: 1 });
  }
  await apply(pool(0), first, { type: 'executeDue' });
  // The dock says that it flies the second one: then the first has ended in a way that nobody told.
  await apply(pool(0), second, { type: 'flightInProgress' });
  expect(await stateOf(pool(0), first)).toBe('outcome_unknown');
  expect(await stateOf(pool(0), second)).toBe('executing');
});

it('tells with each state when the dock was told to start, so that others know whether it can have flown', async () => {
  const id = await aFlight();
  const facts = await pool(0).query<{ to: string; started_at: string | null }[]>(
    `SELECT payload->>'to' AS to, payload->>'startedAt' AS started_at FROM mission.outbox
      WHERE payload->>'missionId' = $1 ORDER BY id`,
    [id],
  );
  const [mission] = await pool(0).query<{ started_at: Date }[]>(
    'SELECT started_at FROM mission.mission WHERE id = $1',
    [id],
  );
  expect(facts.map(({ to }) => to)).toEqual(['preparing', 'prepared', 'starting']);
  expect(facts.map(({ started_at }) => started_at)).toEqual([null, null, mission?.started_at.toISOString()]);
});

it('writes the state and its fact together, or neither', async () => {
  const id = await aMission(pool(0));
  await owner.query(`ALTER TABLE mission.outbox RENAME TO outbox_away`);
  try {
    await expect(apply(pool(0), id, { type: 'prepareDue' })).rejects.toThrow();
  } finally {
    await owner.query(`ALTER TABLE mission.outbox_away RENAME TO outbox`);
  }
  expect(await stateOf(pool(0), id)).toBe('scheduled');
  const left = await pool(0).query<unknown[]>('SELECT 1 FROM mission.dock_call WHERE mission_id = $1', [id]);
  expect(left).toHaveLength(0);
});

it('refuses in the database what no program should ask for: an active mission without its next instant', async () => {
  const id = await aMission(pool(0));
  await expect(pool(0).query('UPDATE mission.mission SET next_action_at = NULL WHERE id = $1', [id])).rejects.toThrow(
    /mission_is_never_forgotten/,
  );
});
