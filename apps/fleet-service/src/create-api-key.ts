// Prints a new API key of the first organisation. `--role` names what it may do, once for each role (default: everything).
// `--days` is after how many days it expires (default: never). `--replace` revokes the earlier keys of that name. `--keep`
// reads a key from standard input and prints that one, if it is still valid.
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { ROLES, isRole } from '@aerie/bus-contract';
import { createLogger, retryUntilReached } from '@aerie/observability';
import { ApiDatabase, engineOf, isOutage, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';
import { ApiKeyStore, type NewKey } from './api-keys/api-key.store.js';
import { SCHEMA, fleetDatabase } from './database.js';

const settings = readCommandConfig(COMMANDS['create-api-key.js']);
const { values } = parseArgs({
  options: {
    name: { type: 'string', default: 'cli' },
    role: { type: 'string', multiple: true },
    days: { type: 'string' },
    replace: { type: 'boolean' },
    keep: { type: 'boolean' },
  },
});
const wish = readWish(values.role, values.days);
const logger = createLogger('fleet-api-key', 'info', 'stderr');
const api = await openDatabase(fleetDatabase(settings.DATABASE_URL, logger, 'api'), logger);
const engine = await openDatabase(fleetDatabase(engineOf(settings, SCHEMA), logger, 'work'), logger);
const replace = values.replace ?? false;
const keys = new ApiKeyStore({ api: new ApiDatabase(api), engine });
const kept = values.keep === true ? (await text(process.stdin)).trim() : undefined;
const key = await retryUntilReached({
  what: 'PostgreSQL',
  logger,
  // A key whose commit nobody saw is revoked by the next attempt, if that one replaces.
  isPassing: (error) => replace && isOutage(error),
  attempt: async () => {
    if (kept !== undefined && (await keys.verify(kept, '')) !== null) return kept;
    return keys.create(values.name, replace, wish);
  },
});
await Promise.all([api.destroy(), engine.destroy()]);
process.stdout.write(`${key}\n`);

function readWish(roles: readonly string[] | undefined, days: string | undefined): Partial<Omit<NewKey, 'name'>> {
  const unknown = (roles ?? []).filter((role) => !isRole(role));
  if (unknown.length > 0) refuse(`--role: ${unknown.join(', ')} is no role; they are ${ROLES.join(', ')}`);
  if (days !== undefined && !/^[1-9]\d{0,3}$/.test(days)) refuse(`--days: ${days} is not between 1 and 9999`);
  return {
    ...(roles === undefined ? {} : { roles: [...new Set(roles.filter(isRole))] }),
    ...(days === undefined ? {} : { expiresAt: new Date(Date.now() + Number(days) * 86_400_000) }),
  };
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  return process.exit(2);
}
