import type { SchemaRights } from '@aerie/persistence';

/** Who may do what with the tables of logs. A timeline is added to and read; the engine deletes entries that are old. */
export const RIGHTS: SchemaRights = {
  tables: {
    attempt: { api: 'select update', engine: 'select insert update' },
    campaign: { api: 'select insert update', engine: 'select update' },
    campaign_dock: { api: 'select insert update', engine: 'select insert update' },
    dock_call: { api: 'select insert update', engine: 'select insert update delete' },
    dock_hold: { api: 'select insert update', engine: 'select insert update delete' },
    file: { api: 'select', engine: 'select insert update' },
    idempotency_key: { api: 'select insert update delete', engine: 'select delete lock:key' },
    inbox: { engine: 'select insert delete lock:message_id' },
    outbox: { api: 'select insert', engine: 'select insert update delete' },
    policy: { api: 'select insert update', engine: 'select' },
    timeline: { api: 'select insert', engine: 'select insert delete lock:id' },
    upload: { api: 'select insert update', engine: 'select insert update' },
  },
};
