import type { SchemaRights } from '@aerie/persistence';

/** Who may do what with the tables of docks and keys. Where an aircraft went, and what a dock said, is never changed. */
export const RIGHTS: SchemaRights = {
  tables: {
    aircraft: { api: 'select update delete', engine: 'select insert update delete' },
    aircraft_move: { api: 'select insert delete', engine: 'select insert delete' },
    api_key: { api: 'select insert update', engine: 'select update' },
    broker_user: { engine: 'select insert update delete' },
    cut_off: { api: 'select update', engine: 'select insert update delete' },
    device_property: { api: 'select', engine: 'select insert update' },
    dock: { api: 'select insert update delete', engine: 'select insert update' },
    kept_message: { engine: 'select insert delete lock:id' },
    inbox: { engine: 'select insert delete lock:message_id' },
    organisation: { api: 'select', engine: 'select' },
    outbox: { api: 'select insert', engine: 'select insert update delete' },
  },
};
