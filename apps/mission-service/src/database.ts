import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, createDataSource } from '@aerie/persistence';
import { CreateMission1763683200000 } from './migrations/1763683200000-create-mission.js';
import { WholeMissions1763898000000 } from './migrations/1763898000000-whole-missions.js';
import { YieldingReservations1764100000000 } from './migrations/1764100000000-yielding-reservations.js';
import { StartDeadlines1764200000000 } from './migrations/1764200000000-start-deadlines.js';
import { Indexes1764300000000 } from './migrations/1764300000000-indexes.js';
import { RouteModels1764410000000 } from './migrations/1764410000000-route-models.js';
import { PlannedDurations1764500000000 } from './migrations/1764500000000-planned-durations.js';
import { SeenOver1764700000000 } from './migrations/1764700000000-seen-over.js';
import { ArchivedWaylines1764720000000 } from './migrations/1764720000000-archived-waylines.js';
import { FlightReports1764800000000 } from './migrations/1764800000000-flight-reports.js';
import { WithdrawnStarts1764850000000 } from './migrations/1764850000000-withdrawn-starts.js';
import { Retention1764900000000 } from './migrations/1764900000000-retention.js';
import { CutOffDocks1765010000000 } from './migrations/1765010000000-cut-off-docks.js';
import { ReportsInPieces1765200000000 } from './migrations/1765200000000-reports-in-pieces.js';
import { LeanRows1765300000000 } from './migrations/1765300000000-lean-rows.js';
import { NewestReportsFirst1765310000000 } from './migrations/1765310000000-newest-reports-first.js';
import { LeanTiming1765320000000 } from './migrations/1765320000000-lean-timing.js';
import { StatesOfRest1765330000000 } from './migrations/1765330000000-states-of-rest.js';
import { ValidatedChecks1765340000000 } from './migrations/1765340000000-validated-checks.js';
import { DatabaseOrigin1765350000000 } from './migrations/1765350000000-database-origin.js';
import { TimeWithoutAFunction1765910000000 } from './migrations/1765910000000-time-without-a-function.js';
import { Audit1765940100000 } from './migrations/1765940100000-audit.js';
import { Approvals1765951000000 } from './migrations/1765951000000-approvals.js';
import { ValidatedApprovals1765951100000 } from './migrations/1765951100000-validated-approvals.js';
import { RIGHTS } from './rights.js';

export const SCHEMA = 'mission';

export const MIGRATIONS = [
  CreateMission1763683200000,
  WholeMissions1763898000000,
  YieldingReservations1764100000000,
  StartDeadlines1764200000000,
  Indexes1764300000000,
  RouteModels1764410000000,
  PlannedDurations1764500000000,
  SeenOver1764700000000,
  ArchivedWaylines1764720000000,
  FlightReports1764800000000,
  WithdrawnStarts1764850000000,
  Retention1764900000000,
  CutOffDocks1765010000000,
  ReportsInPieces1765200000000,
  LeanRows1765300000000,
  NewestReportsFirst1765310000000,
  LeanTiming1765320000000,
  StatesOfRest1765330000000,
  ValidatedChecks1765340000000,
  DatabaseOrigin1765350000000,
  TimeWithoutAFunction1765910000000,
  Audit1765940100000,
  Approvals1765951000000,
  ValidatedApprovals1765951100000,
] as const;

/** A pool for each: neither a burst of requests nor of messages keeps a claim waiting for a connection. */
const POOL_SIZE = { api: 10, chores: 4, docks: 12, flight: 8 } as const;
/** What flies must not wait for a connection to open. */
const WARM_CONNECTIONS = { api: 2, chores: 1, docks: POOL_SIZE.docks, flight: POOL_SIZE.flight } as const;

export type Purpose = keyof typeof POOL_SIZE;

/** `api` is for requests. All others are the engine's: flights, messages of docks, and chores, which may take their time. */
export function missionDatabase<For extends Purpose>(
  url: Peer | string,
  logger: Logger,
  purpose: For,
): DatabaseOf<For extends 'api' ? 'api' : 'engine'> {
  const mayTakeItsTime = purpose === 'api' || purpose === 'chores';
  return createDataSource({
    url,
    applicationName: `mission-service-${purpose}`,
    schema: SCHEMA,
    migrations: MIGRATIONS,
    rights: RIGHTS,
    doer: purpose === 'api' ? 'api' : 'engine',
    poolSize: POOL_SIZE[purpose],
    warmConnections: WARM_CONNECTIONS[purpose],
    statementTimeoutMs: mayTakeItsTime ? 3_000 : 2_000,
    // Reports change rows of flights every two seconds; lists and deletions may well read a table.
    readsByIndex: !mayTakeItsTime,
    logger,
  });
}
