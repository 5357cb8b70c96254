// Brings schema `credential` up to date and ends. On Kubernetes a Job runs it before the new version starts.
import { createLogger } from '@aerie/observability';
import { migrate } from '@aerie/persistence';
import { readConfig } from '@aerie/service-host';
import { z } from 'zod';
import { credentialDatabase } from './database.js';

const { DATABASE_URL } = readConfig(z.object({ DATABASE_URL: z.url() }), process.env);
const dataSource = await credentialDatabase(DATABASE_URL, createLogger('credential-migrate')).initialize();
await migrate(dataSource);
await dataSource.destroy();
