// Looks whether the audit records still are what was written: exit code 0, or 1 with the first fault of each organisation.
import { verifyAudit } from '@aerie/http-api';
import { createLogger } from '@aerie/observability';
import { engineOf, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';
import { SCHEMA, fleetDatabase } from './database.js';

const settings = readCommandConfig(COMMANDS['verify-audit.js']);
const logger = createLogger('fleet-verify-audit', 'info', 'stderr');
const dataSource = await openDatabase(fleetDatabase(engineOf(settings, SCHEMA), logger, 'work'), logger);
await verifyAudit(dataSource, SCHEMA).finally(() => dataSource.destroy());
