import { createLogger } from '@aerie/observability';
import { migrate } from '@aerie/persistence';
import { migrationRound } from '@aerie/testing';
import { MIGRATIONS, SCHEMA, logDatabase } from './database.js';

it('takes its migrations back to nothing, and comes up the same again', async () => {
  const logger = createLogger('log-spec', 'silent');
  const open = (url: string) => logDatabase(url, logger);
  const { up, down, upAgain } = await migrationRound({ schema: SCHEMA, migrations: MIGRATIONS, open, migrate });

  expect(up).not.toEqual([]);
  expect(down).toEqual([]);
  expect(upAgain).toEqual(up);
});
