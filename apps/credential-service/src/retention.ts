import { auditPrune } from '@aerie/http-api';
import { type Prune, pruneOldRows } from '@aerie/persistence';
import { SCHEMA } from './database.js';

/** Longer than any key or presigned URL lives, and than a dock repeats what it has uploaded. */
export const LEAST_LEDGER_DAYS = 30;

/** All that credential-service deletes by age: what opened a storage, what was called back, what docks uploaded, and audit records. */
export const credentialPrunes = ({
  CREDENTIAL_AUDIT_MONTHS: months,
  CREDENTIAL_LEDGER_DAYS: days,
}: {
  readonly CREDENTIAL_AUDIT_MONTHS: number;
  readonly CREDENTIAL_LEDGER_DAYS: number;
}): Prune[] => [
  ...[
    { table: 'credential.issue', at: 'issued_at' },
    // One that the provider was not told of yet is tried again.
    { table: 'credential.revocation', at: 'revoked_at', where: `state <> 'pending'` },
    { table: 'credential.upload_claim', at: 'claimed_at' },
  ].map((rows) => pruneOldRows({ ...rows, days, leastDays: LEAST_LEDGER_DAYS })),
  auditPrune(SCHEMA, months),
];
