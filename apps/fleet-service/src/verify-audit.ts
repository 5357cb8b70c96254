// Looks whether the audit records still are what was written: exit code 0, or 1 with the first fault of each organisation.
import { createLogger } from '@aerie/observability';
import { engineOf, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { verifyChains } from './audit/audit-chain.js';
import { COMMANDS } from './config.js';
import { SCHEMA, fleetDatabase } from './database.js';

const settings = readCommandConfig(COMMANDS['verify-audit.js']);
const logger = createLogger('fleet-verify-audit', 'info', 'stderr');
const dataSource = await openDatabase(fleetDatabase(engineOf(settings, SCHEMA), logger, 'work'), logger);
const { records, faults } = await verifyChains(dataSource);
await dataSource.destroy();
for (const { organisationId, seq, what } of faults) {
  process.stdout.write(`organisation ${organisationId}, record ${seq}: ${what}\n`);
}
process.stdout.write(`${records} records are as they were written\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
