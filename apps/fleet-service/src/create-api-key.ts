// Prints a new API key of the first organisation. `--replace` revokes the earlier keys of that name. `--keep` reads a key
// from standard input and prints that one, if it is still valid.
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createLogger, retryUntilReached } from '@aerie/observability';
import { isOutage, openDatabase } from '@aerie/persistence';
import { peer, readCommandConfig } from '@aerie/service-host';
import { z } from 'zod';
import { ApiKeyStore } from './api-keys/api-key.store.js';
import { fleetDatabase } from './database.js';

const { DATABASE_URL } = readCommandConfig(z.object({ DATABASE_URL: peer('postgres') }));
const { values } = parseArgs({
  options: { name: { type: 'string', default: 'cli' }, replace: { type: 'boolean' }, keep: { type: 'boolean' } },
});
const logger = createLogger('fleet-api-key', 'info', 'stderr');
const dataSource = await openDatabase(fleetDatabase(DATABASE_URL, logger), logger);
const replace = values.replace ?? false;
const keys = new ApiKeyStore(dataSource);
const kept = values.keep === true ? (await text(process.stdin)).trim() : undefined;
const key = await retryUntilReached({
  what: 'PostgreSQL',
  logger,
  // A key whose commit nobody saw is revoked by the next attempt, if that one replaces.
  isPassing: (error) => replace && isOutage(error),
  attempt: async () => {
    if (kept !== undefined && (await keys.verify(kept)) !== null) return kept;
    return keys.create(values.name, replace);
  },
});
await dataSource.destroy();
process.stdout.write(`${key}\n`);
