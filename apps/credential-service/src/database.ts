import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, createDataSource } from '@aerie/persistence';
import { CreateCredential1764000000000 } from './migrations/1764000000000-create-credential.js';
import { Retention1764900000000 } from './migrations/1764900000000-retention.js';
import { LeanClaims1765300000000 } from './migrations/1765300000000-lean-claims.js';
import { Audit1765940100000 } from './migrations/1765940100000-audit.js';
import { RIGHTS } from './rights.js';

export const SCHEMA = 'credential';

export const MIGRATIONS = [
  CreateCredential1764000000000,
  Retention1764900000000,
  LeanClaims1765300000000,
  Audit1765940100000,
] as const;

const POOL_SIZE = { api: 10, work: 6 } as const;

/** `api` is for whoever asks, a dock or another service too: it is always known for whom. `work` is the engine's. */
export function credentialDatabase<For extends keyof typeof POOL_SIZE>(
  url: Peer | string,
  logger: Logger,
  purpose: For,
): DatabaseOf<For extends 'api' ? 'api' : 'engine'> {
  return createDataSource({
    url,
    applicationName: `credential-service-${purpose}`,
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
