import { createLogger } from '@aerie/observability';
import { migrateNew } from '@aerie/persistence/testing';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { MIGRATIONS, missionDatabase } from '../database.js';
import { type MissionSetUp, aMission } from '../missions/fixtures/mission-database.js';

const logger = createLogger('migration-spec', 'silent');
let source: DataSource;
let drop: () => Promise<void>;

/** The schema as the previous release left it. */
beforeEach(async () => {
  const database = await createTestDatabase(testEnvironment().databaseUrl, 'template_empty', () => Promise.resolve());
  source = await missionDatabase(database.url, logger, 'chores').initialize();
  await migrateNew(source);
  for (let left = MIGRATIONS.length; left > 3; left--) await source.undoLastMigration({ transaction: 'each' });
  drop = async () => {
    await source.destroy();
    await database.drop();
  };
}, 60_000);
afterEach(() => drop(), 30_000);

interface Row {
  /** After the creation. */
  readonly deadline_seconds: number | null;
  readonly state: string;
}

async function rowOf(id: string): Promise<Row | undefined> {
  const rows = await source.query<Row[]>(
    `SELECT state, round(extract(epoch FROM deadline - created_at))::integer AS deadline_seconds
       FROM mission.mission WHERE id = $1`,
    [id],
  );
  return rows[0];
}

/** A mission of the previous release: `set` is what it had written. */
async function anOldMission(set: string, setUp: MissionSetUp = {}): Promise<string> {
  const id = await aMission(source, setUp);
  await source.query(`UPDATE mission.mission SET deadline = NULL WHERE id = $1`, [id]);
  await source.query(`UPDATE mission.mission SET ${set} WHERE id = $1`, [id]);
  return id;
}

describe('the migration to start deadlines', () => {
  it.each([
    ['was never told', `state = 'scheduled'`, 60],
    ['waits for a reply', `state = 'preparing', created_at = created_at - interval '3 days'`, 60],
    ['was accepted soon', `state = 'prepared', deadline = created_at + interval '25 seconds'`, 25],
    ['was accepted late', `state = 'prepared', deadline = created_at + interval '75 seconds'`, 60],
    ['was told to start', `state = 'starting', deadline = created_at + interval '75 seconds'`, 75],
    ['flies without a reply', `state = 'executing'`, 60],
    ['has ended', `state = 'failed', next_action_at = NULL`, null],
  ])('gives an immediate mission that %s its deadline', async (_what, set, deadlineSeconds) => {
    const id = await anOldMission(set);
    await migrateNew(source);
    expect(await rowOf(id)).toMatchObject({ deadline_seconds: deadlineSeconds });
  });

  it('leaves the deadline of a timed mission as it is', async () => {
    const id = await aMission(source, { kind: 'timed', executeInMs: 600_000 });
    const before = await rowOf(id);
    await migrateNew(source);
    expect(await rowOf(id)).toEqual(before);
  });
});

describe('a replica of the previous release beside it', () => {
  it('gets the deadline for an immediate mission that it inserts without one', async () => {
    await migrateNew(source);
    const id = await anOldMissionNow();
    expect(await rowOf(id)).toMatchObject({ deadline_seconds: 60 });
  });

  it('does not move the deadline later when a dock accepts the prepare', async () => {
    await migrateNew(source);
    const id = await aMission(source);
    const later = `SET state = 'prepared', deadline = deadline + interval '15 seconds'`;
    await source.query(`UPDATE mission.mission ${later} WHERE id = $1`, [id]);
    expect(await rowOf(id)).toMatchObject({ state: 'prepared', deadline_seconds: 60 });
  });

  it('still shortens the deadline of an immediate mission, and moves a timed one to another time', async () => {
    await migrateNew(source);
    const immediate = await aMission(source);
    const timed = await aMission(source, { kind: 'timed', executeInMs: 600_000 });
    await source.query(`UPDATE mission.mission SET deadline = created_at + interval '20 seconds' WHERE id = $1`, [
      immediate,
    ]);
    await source.query(`UPDATE mission.mission SET deadline = created_at + interval '1 hour' WHERE id = $1`, [timed]);
    expect(await rowOf(immediate)).toMatchObject({ deadline_seconds: 20 });
    expect(await rowOf(timed)).toMatchObject({ deadline_seconds: 3_600 });
  });

  it('cannot leave an unfinished timed mission without a deadline', async () => {
    await migrateNew(source);
    const id = await aMission(source, { kind: 'timed', executeInMs: 600_000 });
    await expect(source.query('UPDATE mission.mission SET deadline = NULL WHERE id = $1', [id])).rejects.toThrow(
      /mission_has_a_deadline/,
    );
  });
});

/** Inserted as the previous release does it, by copying a row without its deadline. */
async function anOldMissionNow(): Promise<string> {
  const id = await aMission(source);
  const [row] = await source.query<{ row: Record<string, unknown> }[]>(
    'SELECT to_jsonb(m) AS row FROM mission.mission m WHERE id = $1',
    [id],
  );
  await source.query('DELETE FROM mission.mission WHERE id = $1', [id]);
  await source.query(
    'INSERT INTO mission.mission SELECT * FROM jsonb_populate_record(NULL::mission.mission, $1::jsonb)',
    [JSON.stringify({ ...row?.row, deadline: null })],
  );
  return id;
}
