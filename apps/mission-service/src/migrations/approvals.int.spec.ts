import { createLogger } from '@aerie/observability';
import { migrateNew } from '@aerie/persistence/testing';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { MIGRATIONS, missionDatabase } from '../database.js';
import { accept } from '../missions/fixtures/dock-holds.js';
import { aMission, apply, stateOf } from '../missions/fixtures/mission-database.js';
import { Approvals1765951000000 } from './1765951000000-approvals.js';

const logger = createLogger('migration-spec', 'silent');
let source: DataSource;
let drop: () => Promise<void>;
beforeEach(async () => {
  const database = await createTestDatabase(testEnvironment().databaseUrl, 'template_empty', () => Promise.resolve());
  source = await missionDatabase(database.url, logger, 'chores').initialize();
  await migrateNew(source);
  drop = async () => {
    await source.destroy();
    await database.drop();
  };
}, 60_000);
afterEach(() => drop(), 30_000);

async function goBack(): Promise<void> {
  const left = MIGRATIONS.findIndex((migration) => migration === Approvals1765951000000);
  for (let undone = MIGRATIONS.length; undone > left; undone--) await source.undoLastMigration({ transaction: 'each' });
}

const soon = { executeInMs: 3_600_000, approval: { lifetimeMs: null } };

it('goes back: what awaits approval is missed and gives its dock back, and what was approved goes on', async () => {
  const awaits = await accept(source, { dockSn: 'D-1', ...soon });
  const approved = await accept(source, { dockSn: 'D-2', ...soon });
  await apply(source, approved, { type: 'approvalGiven' });
  await goBack();
  expect([await stateOf(source, awaits), await stateOf(source, approved)]).toEqual(['missed', 'scheduled']);
  const held = await source.query<{ holder_id: string }[]>('SELECT holder_id FROM mission.dock_reservation');
  expect(held.map(({ holder_id }) => holder_id)).toEqual([approved]);
});

it('comes forward again over missions that need no approval', async () => {
  await goBack();
  const id = await aMission(source);
  await migrateNew(source);
  await apply(source, id, { type: 'prepareDue' });
  expect(await stateOf(source, id)).toBe('preparing');
});
