import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { createDataSource } from '@aerie/persistence';
import { type DataSource } from 'typeorm';
import { CreateLog1764200000000 } from './migrations/1764200000000-create-log.js';
import { Indexes1764300000000 } from './migrations/1764300000000-indexes.js';
import { EndedByPerson1764600000000 } from './migrations/1764600000000-ended-by-person.js';
import { Retention1764900000000 } from './migrations/1764900000000-retention.js';
import { LeanOutbox1765300000000 } from './migrations/1765300000000-lean-outbox.js';

export const SCHEMA = 'log';

export const MIGRATIONS = [
  CreateLog1764200000000,
  Indexes1764300000000,
  EndedByPerson1764600000000,
  Retention1764900000000,
  LeanOutbox1765300000000,
] as const;

/** A pool for each: a burst of requests must not keep the words of docks waiting, nor the other way round. */
const POOL_SIZE = { api: 8, work: 12 } as const;

export function logDatabase(url: Peer | string, logger: Logger, purpose: keyof typeof POOL_SIZE = 'api'): DataSource {
  return createDataSource({
    url,
    applicationName: `log-service-${purpose}`,
    schema: SCHEMA,
    migrations: MIGRATIONS,
    poolSize: POOL_SIZE[purpose],
    warmConnections: 2,
    statementTimeoutMs: 3_000,
    logger,
  });
}
