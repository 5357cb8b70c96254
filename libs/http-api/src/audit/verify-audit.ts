import type { DatabaseOf } from '@aerie/persistence';
import { verifyChains } from './audit-chain.js';

/** Looks whether the audit records still are what was written, and says the first fault of each organisation: exit code 0, or 1. */
export async function verifyAudit(dataSource: DatabaseOf<'engine'>, schema: string): Promise<void> {
  const { records, faults } = await verifyChains(dataSource, schema);
  for (const { organisationId, seq, what } of faults) {
    process.stdout.write(`organisation ${organisationId}, record ${seq}: ${what}\n`);
  }
  process.stdout.write(`${records} records are as they were written\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
