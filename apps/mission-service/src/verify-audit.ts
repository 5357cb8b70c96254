// Looks whether the audit records still are what was written: exit code 0, or 1 with the first fault of each organisation.
import { verifyAudit } from '@aerie/http-api';
import { createLogger } from '@aerie/observability';
import { engineOf, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';
import { SCHEMA, missionDatabase } from './database.js';

const settings = readCommandConfig(COMMANDS['verify-audit.js']);
const logger = createLogger('mission-verify-audit', 'info', 'stderr');
const dataSource = await openDatabase(missionDatabase(engineOf(settings, SCHEMA), logger, 'chores'), logger);
await verifyAudit(dataSource, SCHEMA).finally(() => dataSource.destroy());
