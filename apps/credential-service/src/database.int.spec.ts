import { createLogger } from '@aerie/observability';
import { type KnownBreach, findBreaches, findLeaks, lintMigrations, migrateNew } from '@aerie/persistence/testing';
import { migrationRound } from '@aerie/testing';
import { MIGRATIONS, SCHEMA, credentialDatabase } from './database.js';
import { RIGHTS } from './rights.js';

it('takes its migrations back to nothing, and comes up the same again', async () => {
  const logger = createLogger('credential-spec', 'silent');
  const open = (url: string) => credentialDatabase(url, logger, 'work');
  const { up, down, upAgain } = await migrationRound({
    schema: SCHEMA,
    migrations: MIGRATIONS,
    open,
    migrate: migrateNew,
  });

  expect(up).not.toEqual([]);
  expect(down).toEqual([]);
  expect(upAgain).toEqual(up);
});

/** Migrations that break a rule of `lintMigrations`, and why they may. A new one is not to be added without such a reason. */
const KNOWN: readonly KnownBreach[] = [];

it('locks no large table, and leaves what replicas of the release before need', async () => {
  const open = (url: string) => credentialDatabase(url, createLogger('credential-spec', 'silent'), 'work');
  const complaints = await lintMigrations({ schema: SCHEMA, migrations: MIGRATIONS, open, known: KNOWN });
  expect(complaints).toEqual([]);
});

it('gives each of its roles what the table of rights says, and nothing else: nothing of another service, nothing to make', async () => {
  const open = (url: string) => credentialDatabase(url, createLogger('credential-spec', 'silent'), 'work');
  expect(await findBreaches({ schema: SCHEMA, rights: RIGHTS, open })).toEqual([]);
});

it('lets the API reach the rows of the organisation that its transaction is for, and those alone (N25)', async () => {
  const open = (url: string) => credentialDatabase(url, createLogger('credential-spec', 'silent'), 'work');
  const valuesOf = { audit_intake: { entry: (organisationId: string) => JSON.stringify({ organisationId }) } };
  expect(await findLeaks({ schema: SCHEMA, rights: RIGHTS, open, valuesOf })).toEqual([]);
});
