// Brings schema `mission` up to date and ends. On Kubernetes a Job runs it before the new version starts.
import { createLogger } from '@aerie/observability';
import { migrateDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';
import { missionDatabase } from './database.js';

const { DATABASE_URL } = readCommandConfig(COMMANDS['migrate.js']);
const logger = createLogger('mission-migrate', 'info', 'stderr');
await migrateDatabase(missionDatabase(DATABASE_URL, logger, 'chores'), logger);
