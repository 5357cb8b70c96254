import { AUDIT_RIGHTS } from '@aerie/http-api';
import type { SchemaRights } from '@aerie/persistence';

/**
 * Who may do what with the tables of storages and keys. What was handed out is written down by the engine, for all who asked
 * at the same time; nobody changes an entry of that ledger.
 */
export const RIGHTS: SchemaRights = {
  isWalled: true,
  tables: {
    ...AUDIT_RIGHTS.tables,
    issue: { api: 'select', engine: 'select insert delete lock:id' },
    revocation: { api: 'select insert', engine: 'select insert update delete' },
    storage: { api: 'select insert delete', engine: 'select' },
    storage_revision: { api: 'select insert update' },
    upload_claim: { engine: 'select insert delete lock:object_key' },
  },
  functions: AUDIT_RIGHTS.functions,
};
