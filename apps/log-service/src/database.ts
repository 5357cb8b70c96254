import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, createDataSource } from '@aerie/persistence';
import { CreateLog1764200000000 } from './migrations/1764200000000-create-log.js';
import { Indexes1764300000000 } from './migrations/1764300000000-indexes.js';
import { EndedByPerson1764600000000 } from './migrations/1764600000000-ended-by-person.js';
import { Retention1764900000000 } from './migrations/1764900000000-retention.js';
import { LeanOutbox1765300000000 } from './migrations/1765300000000-lean-outbox.js';
import { Audit1765940100000 } from './migrations/1765940100000-audit.js';
import { RIGHTS } from './rights.js';

export const SCHEMA = 'log';

export const MIGRATIONS = [
  CreateLog1764200000000,
  Indexes1764300000000,
  EndedByPerson1764600000000,
  Retention1764900000000,
  LeanOutbox1765300000000,
  Audit1765940100000,
] as const;

/** A pool for each: a burst of requests must not keep the words of docks waiting, nor the other way round. */
const POOL_SIZE = { api: 8, work: 12 } as const;

/** `api` is for requests; `work` is the engine's. */
export function logDatabase<For extends keyof typeof POOL_SIZE>(
  url: Peer | string,
  logger: Logger,
  purpose: For,
): DatabaseOf<For extends 'api' ? 'api' : 'engine'> {
  return createDataSource({
    url,
    applicationName: `log-service-${purpose}`,
    schema: SCHEMA,
    migrations: MIGRATIONS,
    rights: RIGHTS,
    doer: purpose === 'api' ? 'api' : 'engine',
    poolSize: POOL_SIZE[purpose],
    warmConnections: 2,
    statementTimeoutMs: 3_000,
    logger,
  });
}
