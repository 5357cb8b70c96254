import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, createDataSource } from '@aerie/persistence';
import { CreateFleet1763683200000 } from './migrations/1763683200000-create-fleet.js';
import { ReportedModels1764400000000 } from './migrations/1764400000000-reported-models.js';
import { DockPositions1764500000000 } from './migrations/1764500000000-dock-positions.js';
import { CutOffs1765010100000 } from './migrations/1765010100000-cut-offs.js';
import { DocksMoveOn1764710000000 } from './migrations/1764710000000-docks-move-on.js';
import { BrokerUsers1765500000000 } from './migrations/1765500000000-broker-users.js';
import { ApiKeyRoles1765600000000 } from './migrations/1765600000000-api-key-roles.js';
import { People1765710000000 } from './migrations/1765710000000-people.js';
import { Sessions1765720000000 } from './migrations/1765720000000-sessions.js';
import { Audit1765730000000 } from './migrations/1765730000000-audit.js';
import { LeanOutbox1765300000000 } from './migrations/1765300000000-lean-outbox.js';
import { RowsOfOneOrganisation1765900000000 } from './migrations/1765900000000-rows-of-one-organisation.js';
import { IdentityProviders1765920100000 } from './migrations/1765920100000-identity-providers.js';
import { Passkeys1765930100000 } from './migrations/1765930100000-passkeys.js';
import { Alarms1765952000000 } from './migrations/1765952000000-alarms.js';
import { Sites1765950100000 } from './migrations/1765950100000-sites.js';
import { DocksOfSites1765950200000 } from './migrations/1765950200000-docks-of-sites.js';
import { RIGHTS } from './rights.js';

export const SCHEMA = 'fleet';

export const MIGRATIONS = [
  CreateFleet1763683200000,
  ReportedModels1764400000000,
  DockPositions1764500000000,
  DocksMoveOn1764710000000,
  CutOffs1765010100000,
  LeanOutbox1765300000000,
  BrokerUsers1765500000000,
  ApiKeyRoles1765600000000,
  People1765710000000,
  Sessions1765720000000,
  Audit1765730000000,
  RowsOfOneOrganisation1765900000000,
  IdentityProviders1765920100000,
  Passkeys1765930100000,
  Alarms1765952000000,
  Sites1765950100000,
  DocksOfSites1765950200000,
] as const;

const POOL_SIZE = { api: 8, work: 10 } as const;

/** `api` is for requests of people; `work` is the engine's: docks, and what other services ask about any of them. */
export function fleetDatabase<For extends keyof typeof POOL_SIZE>(
  url: Peer | string,
  logger: Logger,
  purpose: For,
): DatabaseOf<For extends 'api' ? 'api' : 'engine'> {
  return createDataSource({
    url,
    applicationName: `fleet-service-${purpose}`,
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
