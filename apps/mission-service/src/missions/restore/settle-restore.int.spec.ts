import type { DataSource } from 'typeorm';
import { aReplica, executes } from '../fixtures/due-replica.js';
import { aMission, apply, missionTestDatabase, stateOf, timelineOf } from '../fixtures/mission-database.js';
import { SettleRestore } from './settle-restore.js';

let pools: DataSource[];
let pool: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
beforeEach(async () => {
  const database = await missionTestDatabase(2);
  ({ drop, owner, pools } = database);
  pool = pools[0] as DataSource;
}, 60_000);
afterEach(() => drop(), 30_000);

const HOUR_MS = 3_600_000;

/** A timed mission that its dock has accepted, and whose time has come. */
async function aDueMission(): Promise<string> {
  const id = await aMission(pool, { kind: 'timed', executeInMs: 5_000 });
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  await pool.query(
    `UPDATE mission.mission SET execute_at = now(), deadline = now() + interval '25 s', next_action_at = now() WHERE id = $1`,
    [id],
  );
  return id;
}

/** What a restored database says of itself: that it was last seen as another one. */
const restoreFromBackup = (): Promise<unknown> =>
  pool.query(`UPDATE mission.database_origin SET origin = '7000000000000000001/00000001/5/16400'`);

it('a new database is taken as it is', async () => {
  const id = await aDueMission();
  expect(await new SettleRestore(pool).ifRestored()).toEqual([]);
  expect(await stateOf(pool, id)).toBe('prepared');
  const [row] = await pool.query<{ origin: string }[]>('SELECT origin FROM mission.database_origin');
  // Identifier of the server, timeline, database, table.
  expect(row?.origin).toMatch(/^\d{10,}\/[0-9A-F]{8}\/\d+\/\d+$/);
});

it('no mission is started on a restored database, before anybody has settled it', async () => {
  await new SettleRestore(pool).ifRestored();
  const id = await aDueMission();
  await restoreFromBackup();
  const replica = aReplica(pool);
  await replica.runner.run(null);
  expect(executes(replica)).toEqual([]);
  expect(await stateOf(pool, id)).toBe('prepared');
  const [row] = await pool.query<{ cause_code: string }[]>('SELECT cause_code FROM mission.mission WHERE id = $1', [
    id,
  ]);
  expect(row?.cause_code).toBe('restored');
});

it('a restore is settled once: what was due is not started, what is due later is', async () => {
  const settle = new SettleRestore(pool);
  await settle.ifRestored();
  const due = await aDueMission();
  const later = await aMission(pool, { kind: 'timed', executeInMs: HOUR_MS });
  await restoreFromBackup();

  expect(await settle.ifRestored()).toEqual([
    { id: due, dockSn: expect.any(String), from: 'prepared', to: 'outcome_unknown' },
  ]);
  expect(await settle.ifRestored()).toEqual([]);
  expect([await stateOf(pool, due), await stateOf(pool, later)]).toEqual(['outcome_unknown', 'scheduled']);
  const decisions = (await timelineOf(pool, due)).filter(({ kind }) => kind === 'decision');
  expect(decisions.at(-1)).toMatchObject({ what: 'restored', from_state: 'prepared', to_state: 'outcome_unknown' });
  // Nothing was decided about it, so nothing is told of it.
  expect((await timelineOf(pool, later)).filter(({ what }) => what === 'restored')).toEqual([]);
  const undos = await pool.query<{ next_attempt_at: Date | null }[]>(
    `SELECT next_attempt_at FROM mission.dock_call WHERE mission_id = $1 AND method = 'flighttask_undo'`,
    [due],
  );
  expect(undos).toEqual([{ next_attempt_at: expect.any(Date) }]);

  // Another dock than that of the unknown flight: claims go on.
  const next = await aDueMission();
  const replica = aReplica(pool);
  await replica.runner.run(null);
  expect(executes(replica)).toEqual([next]);
});

it('two replicas that boot at once on a restored database settle each mission once', async () => {
  await new SettleRestore(pool).ifRestored();
  const ids: string[] = [];
  // More than one transaction takes.
  for (let count = 0; count < 120; count++) ids.push(await aDueMission());
  await restoreFromBackup();
  const both = await Promise.all(pools.map((each) => new SettleRestore(each).ifRestored()));
  expect(
    both
      .flat()
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort());
}, 60_000);

it('the instant of the stop spares what was due only after it', async () => {
  const id = await aDueMission();
  const settle = new SettleRestore(pool);
  const stoppedAt = new Date(Date.now() - HOUR_MS);
  const preview = await settle.preview({ stoppedAt });
  expect(preview).toMatchObject([{ id, kind: 'timed', state: 'prepared', mayHaveStarted: false }]);
  expect(await settle.settle({ stoppedAt })).toEqual([]);
  expect(await stateOf(pool, id)).toBe('prepared');
});

it('a person who cannot exclude changed plans ends what has not started, of later days too', async () => {
  const later = await aMission(pool, { kind: 'timed', executeInMs: 48 * HOUR_MS });
  const settled = await new SettleRestore(pool).settle({ stoppedAt: null });
  expect(settled).toMatchObject([{ id: later, from: 'scheduled', to: 'outcome_unknown' }]);
});

it('a start that was claimed in the backup goes on being watched, and is told of the restore once', async () => {
  const id = await aDueMission();
  await apply(pool, id, { type: 'executeDue' });
  const settle = new SettleRestore(pool);
  expect(await settle.settle({ stoppedAt: new Date() })).toMatchObject([{ id, from: 'starting', to: 'starting' }]);
  expect(await settle.settle({ stoppedAt: new Date() })).toEqual([]);
  const advanced = await apply(pool, id, { type: 'executeDeferred', attempt: 1, dockResult: 319_016 });
  expect(advanced.decision.kind).toBe('refused');
});

it('a dump that was read again into the same server is another database', async () => {
  await new SettleRestore(pool).ifRestored();
  const id = await aDueMission();
  // As `pg_restore --clean` does it: the table is made anew, under its old name.
  await owner.query(`CREATE TABLE mission.again (LIKE mission.mission INCLUDING ALL);
    INSERT INTO mission.again SELECT * FROM mission.mission;
    ALTER TABLE mission.mission RENAME TO before; ALTER TABLE mission.again RENAME TO mission;
    GRANT SELECT, UPDATE ON mission.mission TO mission_engine;`);
  const replica = aReplica(pool);
  await replica.runner.run(null);
  expect(executes(replica)).toEqual([]);
  expect(await stateOf(pool, id)).toBe('prepared');
});
