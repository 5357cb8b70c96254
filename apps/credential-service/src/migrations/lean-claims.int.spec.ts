import { createLogger } from '@aerie/observability';
import { migrateNew } from '@aerie/persistence/testing';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import { ClaimStore } from '../claims/claim.store.js';
import { MIGRATIONS, credentialDatabase } from '../database.js';
import { LeanClaims1765300000000 } from './1765300000000-lean-claims.js';

it('what docks said of files is plain again on the way back, and read from both', async () => {
  const database = await createTestDatabase(testEnvironment().databaseUrl, 'template_empty', () => Promise.resolve());
  const source = await credentialDatabase(database.url, createLogger('migration-spec', 'silent'), 'work').initialize();
  try {
    await migrateNew(source);
    const claims = new ClaimStore(source);
    const said = (name: string) => ({ file: { object_key: `folder/${name}`, name, ext: { flight_id: 'f-1' } } });
    const claim = (name: string, flightId: string | null) =>
      claims.record({
        ...{ organisationId: '11111111-1111-4111-8111-111111111111', dockSn: 'DOCK-1', objectKey: `folder/${name}` },
        ...{ flightId, verdict: 'inside', reported: said(name) },
      });
    await claim('a.jpeg', 'f-1');
    await claim('b.jpeg', null);

    const later = MIGRATIONS.length - MIGRATIONS.indexOf(LeanClaims1765300000000);
    for (let undone = 0; undone < later; undone++) await source.undoLastMigration({ transaction: 'each' });
    const rows = await source.query<unknown[]>('SELECT reported FROM credential.upload_claim ORDER BY object_key');
    expect(rows).toEqual([{ reported: said('a.jpeg') }, { reported: said('b.jpeg') }]);

    await migrateNew(source);
    expect(await claims.reportOf('DOCK-1', 'folder/a.jpeg')).toEqual(said('a.jpeg'));
    await claim('c.jpeg', 'f-1');
    expect(await claims.reportOf('DOCK-1', 'folder/c.jpeg')).toEqual(said('c.jpeg'));
  } finally {
    await source.destroy();
    await database.drop();
  }
}, 60_000);
