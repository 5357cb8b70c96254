import { type DataSource } from 'typeorm';
import type { Logger } from '@aerie/observability';
import { createDataSource } from '@aerie/persistence';
import { CreateMission1763683200000 } from './migrations/1763683200000-create-mission.js';
import { WholeMissions1763898000000 } from './migrations/1763898000000-whole-missions.js';

export const SCHEMA = 'mission';

export const MIGRATIONS = [CreateMission1763683200000, WholeMissions1763898000000] as const;

export function missionDatabase(url: string, logger: Logger, purpose: 'api' | 'flight' = 'api'): DataSource {
  return createDataSource({
    url,
    applicationName: `mission-service-${purpose}`,
    schema: SCHEMA,
    migrations: MIGRATIONS,
    // Two pools: a burst of requests must not keep a claim waiting for a connection.
    poolSize: purpose === 'flight' ? 16 : 10,
    statementTimeoutMs: purpose === 'flight' ? 2_000 : 3_000,
    logger,
  });
}
