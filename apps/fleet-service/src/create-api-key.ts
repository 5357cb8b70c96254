// Prints a new API key of the first organisation. `--replace NAME` revokes the earlier keys of that name.
import { parseArgs } from 'node:util';
import { createLogger } from '@aerie/observability';
import { readConfig } from '@aerie/service-host';
import { z } from 'zod';
import { ApiKeyStore } from './api-keys/api-key.store.js';
import { fleetDatabase } from './database.js';

const { DATABASE_URL } = readConfig(z.object({ DATABASE_URL: z.url() }), process.env);
const { values } = parseArgs({ options: { name: { type: 'string', default: 'cli' }, replace: { type: 'boolean' } } });
const dataSource = await fleetDatabase(DATABASE_URL, createLogger('fleet-api-key')).initialize();
const key = await new ApiKeyStore(dataSource).create(values.name, values.replace ?? false);
await dataSource.destroy();
process.stdout.write(`${key}\n`);
