import { AUDIT_RIGHTS } from '@aerie/http-api';
import type { SchemaRights } from '@aerie/persistence';

const OF_UPLOAD = { table: 'upload', by: 'upload_id' } as const;

/** Who may do what with the tables of logs. A timeline is added to and read; the engine deletes entries that are old. */
export const RIGHTS: SchemaRights = {
  isWalled: true,
  tables: {
    ...AUDIT_RIGHTS.tables,
    attempt: { api: 'select update', engine: 'select insert update', belongsTo: OF_UPLOAD },
    campaign: { api: 'select insert update', engine: 'select update' },
    campaign_dock: {
      ...{ api: 'select insert update', engine: 'select insert update' },
      belongsTo: { table: 'campaign', by: 'campaign_id' },
      dock: 'dock_sn',
    },
    dock_call: { api: 'select insert update', engine: 'select insert update delete' },
    dock_hold: { api: 'select insert update', engine: 'select insert update delete', belongsTo: OF_UPLOAD },
    file: { api: 'select', engine: 'select insert update' },
    idempotency_key: { api: 'select insert update delete', engine: 'select delete lock:key' },
    inbox: { engine: 'select insert delete lock:message_id', ofNobody: 'the API has nothing to do with it' },
    outbox: {
      ...{ api: 'select insert', engine: 'select insert update delete' },
      ofNobody: 'facts of all organisations leave in one order',
    },
    policy: { api: 'select insert update', engine: 'select' },
    timeline: { api: 'select insert', engine: 'select insert delete lock:id', belongsTo: OF_UPLOAD },
    upload: { api: 'select insert update', engine: 'select insert update' },
  },
  functions: AUDIT_RIGHTS.functions,
};
