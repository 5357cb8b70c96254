import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { createDataSource } from '@aerie/persistence';
import { type DataSource } from 'typeorm';
import { CreateCredential1764000000000 } from './migrations/1764000000000-create-credential.js';
import { Retention1764900000000 } from './migrations/1764900000000-retention.js';
import { LeanClaims1765300000000 } from './migrations/1765300000000-lean-claims.js';

export const SCHEMA = 'credential';

export const MIGRATIONS = [CreateCredential1764000000000, Retention1764900000000, LeanClaims1765300000000] as const;

export function credentialDatabase(url: Peer | string, logger: Logger): DataSource {
  return createDataSource({
    url,
    applicationName: 'credential-service',
    schema: SCHEMA,
    migrations: MIGRATIONS,
    poolSize: 10,
    warmConnections: 2,
    statementTimeoutMs: 3_000,
    logger,
  });
}
