// Brings schema `credential` up to date and ends. On Kubernetes a Job runs it before the new version starts.
import { createLogger } from '@aerie/observability';
import { migrateDatabase } from '@aerie/persistence';
import { peer, readCommandConfig } from '@aerie/service-host';
import { z } from 'zod';
import { credentialDatabase } from './database.js';

const { DATABASE_URL } = readCommandConfig(z.object({ DATABASE_URL: peer('postgres') }));
const logger = createLogger('credential-migrate', 'info', 'stderr');
await migrateDatabase(credentialDatabase(DATABASE_URL, logger), logger);
