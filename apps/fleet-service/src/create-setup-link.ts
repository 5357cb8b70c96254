// Prints the token of a new setup link, with which the first member of a new organisation sets it up: once, within a day.
import { createLogger } from '@aerie/observability';
import { ApiDatabase, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';
import { fleetDatabase } from './database.js';
import { createSetupLink } from './people/join.js';

const { DATABASE_URL } = readCommandConfig(COMMANDS['create-setup-link.js']);
const logger = createLogger('fleet-setup-link', 'info', 'stderr');
const dataSource = await openDatabase(fleetDatabase(DATABASE_URL, logger, 'api'), logger);
const token = await createSetupLink(new ApiDatabase(dataSource));
await dataSource.destroy();
process.stdout.write(`${token}\n`);
