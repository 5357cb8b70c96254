import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { aMission, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';
import { settleLook } from './settle-look.js';

const BUSY = 319_016;
const REFUSED = 316_026;

let pool: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
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

async function afterALook(id: string): Promise<string> {
  await inTransaction(pool, (tx) => settleLook(tx, id, { observation: 'flying', lookedAtMs: Date.now() }));
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
