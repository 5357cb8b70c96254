// Brings schema `log` up to date and ends. On Kubernetes a Job runs it before the new version starts.
import { createLogger } from '@aerie/observability';
import { migrate } from '@aerie/persistence';
import { readConfig } from '@aerie/service-host';
import { z } from 'zod';
import { logDatabase } from './database.js';

const { DATABASE_URL } = readConfig(z.object({ DATABASE_URL: z.url() }), process.env);
const dataSource = await logDatabase(DATABASE_URL, createLogger('log-migrate')).initialize();
await migrate(dataSource);
await dataSource.destroy();
