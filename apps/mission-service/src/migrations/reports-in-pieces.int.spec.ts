import { createLogger } from '@aerie/observability';
import { migrateNew } from '@aerie/persistence/testing';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { MIGRATIONS, missionDatabase } from '../database.js';
import { type Flight, aStart, handle, progress } from '../missions/fixtures/dock-words.js';
import { ORGANISATION } from '../missions/fixtures/mission-database.js';
import { MissionReadModel } from '../missions/views/mission.read-model.js';
import { ReportsInPieces1765200000000 } from './1765200000000-reports-in-pieces.js';

let source: DataSource;
let drop: () => Promise<void>;
beforeEach(async () => {
  const database = await createTestDatabase(testEnvironment().databaseUrl, 'template_empty', () => Promise.resolve());
  source = await missionDatabase(database.url, createLogger('migration-spec', 'silent'), 'chores').initialize();
  await migrateNew(source);
  drop = async () => {
    await source.destroy();
    await database.drop();
  };
}, 60_000);
afterEach(() => drop(), 30_000);

const trackOf = async ({ id }: Flight) =>
  (await new MissionReadModel(new ApiDatabase(source)).track(wholeOf(ORGANISATION), id))?.items;

describe('the way back from reports in pieces', () => {
  it('leaves each report by itself, and the way forward reads those', async () => {
    const flight = await aStart(source);
    await handle(source, [progress(flight, 'in_progress', 5)]);
    await handle(
      source,
      Array.from({ length: 40 }, (_, number) => progress(flight, 'in_progress', 10.5 + number)),
    );
    await handle(source, [progress(flight, 'a word of its own', 60)]);
    const before = await trackOf(flight);
    expect(before).toHaveLength(42);

    const later = MIGRATIONS.length - MIGRATIONS.indexOf(ReportsInPieces1765200000000);
    for (let undone = 0; undone < later; undone++) await source.undoLastMigration({ transaction: 'each' });
    const rows = await source.query<{ percent: number; status: string; received_at: Date }[]>(
      'SELECT percent, status, received_at FROM mission.flight_track WHERE mission_id = $1 ORDER BY received_at, id',
      [flight.id],
    );
    expect(rows.map(({ percent, received_at }) => ({ percent, at: received_at.toISOString() }))).toEqual(
      before?.map(({ percent, at }) => ({ percent, at })),
    );

    await migrateNew(source);
    expect((await trackOf(flight))?.slice(0, 41)).toEqual(before?.slice(0, 41));
  });
});
