import { createLogger } from '@aerie/observability';
import { type KnownBreach, findBreaches, findLeaks, lintMigrations, migrateNew } from '@aerie/persistence/testing';
import { migrationRound } from '@aerie/testing';
import { MIGRATIONS, SCHEMA, missionDatabase } from './database.js';
import { RIGHTS } from './rights.js';

it('takes its migrations back to nothing, and comes up the same again', async () => {
  const logger = createLogger('mission-spec', 'silent');
  const open = (url: string) => missionDatabase(url, logger, 'chores');
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
const KNOWN: readonly KnownBreach[] = [
  ...(['constraint', 'index', 'required'] as const).map((rule) => ({
    migration: 'WholeMissions1763898000000',
    rule,
    reason: 'of 0.1.0, the first release: the tables are empty when it runs',
  })),
  {
    migration: 'YieldingReservations1764100000000',
    rule: 'index',
    reason: 'of 0.1.0, the first release: the tables are empty when it runs',
  },
  {
    migration: 'StartDeadlines1764200000000',
    rule: 'wholeTable',
    reason: 'missions that have not ended, by the index of them: as many as docks have plans',
  },
  {
    migration: 'RouteModels1764410000000',
    rule: 'wholeTable',
    reason: 'a row for each route file, thousands; nobody changes one while missions fly',
  },
  {
    migration: 'NewestReportsFirst1765310000000',
    rule: 'index',
    reason: 'a migration of the same release has made the table: it is empty on a site that comes from 0.1.0',
  },
];

it('locks no large table, and leaves what replicas of the release before need', async () => {
  const open = (url: string) => missionDatabase(url, createLogger('mission-spec', 'silent'), 'chores');
  const complaints = await lintMigrations({ schema: SCHEMA, migrations: MIGRATIONS, open, known: KNOWN });
  expect(complaints).toEqual([]);
});

it('gives each of its roles what the table of rights says, and nothing else: nothing of another service, nothing to make', async () => {
  const open = (url: string) => missionDatabase(url, createLogger('mission-spec', 'silent'), 'chores');
  expect(await findBreaches({ schema: SCHEMA, rights: RIGHTS, open })).toEqual([]);
});

it('lets the API reach the rows of the organisation that its transaction is for, and those alone (N25)', async () => {
  const open = (url: string) => missionDatabase(url, createLogger('mission-spec', 'silent'), 'chores');
  const valuesOf = { audit_intake: { entry: (organisationId: string) => JSON.stringify({ organisationId }) } };
  expect(await findLeaks({ schema: SCHEMA, rights: RIGHTS, open, valuesOf })).toEqual([]);
});
