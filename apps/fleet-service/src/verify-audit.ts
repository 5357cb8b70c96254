// Looks whether the audit records still are what was written: exit code 0, or 1 with the first fault of each organisation.
import { createLogger } from '@aerie/observability';
import { openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { verifyChains } from './audit/audit-chain.js';
import { COMMANDS } from './config.js';
import { fleetDatabase } from './database.js';

const { DATABASE_URL } = readCommandConfig(COMMANDS['verify-audit.js']);
const logger = createLogger('fleet-verify-audit', 'info', 'stderr');
const dataSource = await openDatabase(fleetDatabase(DATABASE_URL, logger, 'api'), logger);
const { records, faults } = await verifyChains(dataSource);
await dataSource.destroy();
for (const { organisationId, seq, what } of faults) {
  process.stdout.write(`organisation ${organisationId}, record ${seq}: ${what}\n`);
}
process.stdout.write(`${records} records are as they were written\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
