import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { aReplica, executes } from '../fixtures/due-replica.js';
import { ORGANISATION, aMission, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';
import { settleLook } from './settle-look.js';

const BUSY = 319_016;
const REFUSED = 316_026;

let pool: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  ({ owner, drop } = database);
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

/** A start that the dock answered so many seconds ago, and the flight that the dock has named since. */
async function aStart(set: { answer: number; named: string; namedAgo?: number; startedAgo?: number }): Promise<string> {
  const id = await aMission(pool, { kind: 'timed', executeInMs: 500 });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  await pool.query(`UPDATE mission.mission SET execute_at = now(), deadline = now() + interval '30 s' WHERE id = $1`, [
    id,
  ]);
  await apply(pool, id, { type: 'executeDue' });
  // What it said before the start lies before the start.
  await pool.query(
    `UPDATE mission.mission SET started_at = now() - make_interval(secs => $2), heard_at = now() - interval '1 h'
      WHERE id = $1`,
    [id, set.startedAgo ?? 10],
  );
  await pool.query(
    `UPDATE mission.dock_call SET reply_result = $2 WHERE mission_id = $1 AND method = 'flighttask_execute'`,
    [id, set.answer],
  );
  await pool.query(
    `UPDATE mission.dock SET flight_id = $2, flight_at = now() - make_interval(secs => $3)
      WHERE sn = (SELECT dock_sn FROM mission.mission WHERE id = $1)`,
    [id, set.named === 'this' ? id : set.named, set.namedAgo ?? 1],
  );
  expect(await stateOf(pool, id)).toBe('starting');
  return id;
}

/** A flight that its dock spoke of last so many seconds ago, and that was seen in the air. */
async function aSilentFlight(dockSn: string, silentForSeconds = 70): Promise<string> {
  const id = await aMission(pool, { dockSn });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'flightInProgress', airborne: true });
  await pool.query(
    `UPDATE mission.mission SET heard_at = now() - make_interval(secs => $2), started_at = now() - interval '5 minutes'
      WHERE id = $1`,
    [id, silentForSeconds],
  );
  return id;
}

/** One look that shows rest, after the given time in which every one did. */
async function lookAtRest(id: string, afterSeconds: number): Promise<void> {
  await pool.query(
    'UPDATE mission.mission SET resting_since = resting_since - make_interval(secs => $2) WHERE id = $1',
    [id, afterSeconds],
  );
  const observation = { shows: 'resting', saidAgoMs: 1_000, inSightForMs: null } as const;
  await inTransaction(pool, (tx) => settleLook(tx, id, { observation, lookedAtMs: Date.now() }));
}

/** The next mission of the dock, due now, looked at by a replica: whether it was started. */
async function startsNext(dockSn: string): Promise<boolean> {
  const id = await aMission(pool, { dockSn, kind: 'timed', executeInMs: 100 });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  await pool.query(
    `UPDATE mission.mission SET execute_at = now(), deadline = now() + interval '30 s', next_action_at = now() WHERE id = $1`,
    [id],
  );
  const replica = aReplica(pool);
  await replica.runner.run([id]);
  const starts = executes(replica).includes(id);
  if (starts) await apply(pool, id, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 });
  return starts;
}

const causeOf = async (id: string): Promise<string | null> => {
  const rows = await pool.query<{ cause_code: string | null }[]>(
    'SELECT cause_code FROM mission.mission WHERE id = $1',
    [id],
  );
  return rows[0]?.cause_code ?? null;
};

describe('a silent flight whose dock rests', () => {
  it('is over once it has rested for a minute, with a cause of its own, and the next mission of the dock starts', async () => {
    const id = await aSilentFlight('OVER-1');
    await lookAtRest(id, 0);
    await lookAtRest(id, 50);
    expect(await stateOf(pool, id)).toBe('executing');
    // A second more than the minute: a look counts from its own beginning, the first one from when it was written.
    await lookAtRest(id, 11);
    expect(await stateOf(pool, id)).toBe('outcome_unknown');
    expect(await causeOf(id)).toBe('seen_over');
    expect(await startsNext('OVER-1')).toBe(true);
  });

  it.each(['flightInProgress', 'flightPaused', 'observedFlying'] as const)(
    'grounds its dock again when it turns out to go on (%s), until the end is told',
    async (type) => {
      const dockSn = `OVER-${type}`;
      const id = await aSilentFlight(dockSn);
      await lookAtRest(id, 0);
      await lookAtRest(id, 61);
      await apply(pool, id, { type });
      expect(await startsNext(dockSn)).toBe(false);
      await apply(pool, id, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 });
      expect(await startsNext(dockSn)).toBe(true);
    },
  );

  it('grounds its dock where the organisation wants a person to look, until somebody did', async () => {
    const id = await aSilentFlight('OVER-2');
    await lookAtRest(id, 0);
    await lookAtRest(id, 61);
    await pool.query(
      `INSERT INTO mission.policy (organisation_id, preflight, auto_resume, revision, updated_by) VALUES ($1, $2, '{}', 1, 'spec')`,
      [ORGANISATION, JSON.stringify({ unknown_outcome: { afterSeenOver: 'fail' } })],
    );
    expect(await startsNext('OVER-2')).toBe(false);
    await owner.query('DELETE FROM mission.policy WHERE organisation_id = $1', [ORGANISATION]);
    expect(await startsNext('OVER-2')).toBe(true);
  });

  it('is not over by what the dock had said before its last word about the flight', async () => {
    const id = await aSilentFlight('OVER-3', 0);
    await lookAtRest(id, 0);
    await lookAtRest(id, 61);
    expect(await stateOf(pool, id)).toBe('executing');
  });
});

async function afterALook(id: string): Promise<string> {
  await inTransaction(pool, (tx) => settleLook(tx, id, { observation: { shows: 'flying' }, lookedAtMs: Date.now() }));
  return stateOf(pool, id);
}

describe('DK13: a dock that answered "busy" and named its flight only afterwards', () => {
  it('has not started this mission, which may be tried again', async () => {
    expect(await afterALook(await aStart({ answer: BUSY, named: 'by-hand' }))).toBe('prepared');
  });

  it.each([
    ['the flight is this one', { answer: BUSY, named: 'this' }, 'executing'],
    ['it named the other flight before the start', { answer: BUSY, named: 'by-hand', namedAgo: 11 }, 'starting'],
    ['the start was long ago', { answer: BUSY, named: 'by-hand', startedAgo: 100 }, 'starting'],
    ['the answer was another one', { answer: REFUSED, named: 'by-hand' }, 'starting'],
  ])('has proven nothing where %s', async (_, set, state) => {
    expect(await afterALook(await aStart(set))).toBe(state);
  });
});
