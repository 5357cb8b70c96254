import type { SchemaRights } from '@aerie/persistence';

/** Who may do what with the tables of docks and keys. Where an aircraft went, and what a dock said, is never changed. */
export const RIGHTS: SchemaRights = {
  tables: {
    aircraft: { api: 'select update delete', engine: 'select insert update delete' },
    aircraft_move: { api: 'select insert delete', engine: 'select insert delete' },
    // A record is made of an entry and is never changed; old months go by a function of the migrator's.
    audit_chain: { api: 'select', engine: 'select insert update' },
    audit_intake: { api: 'insert update select', engine: 'select delete lock:id' },
    audit_record: { api: 'select', engine: 'select insert' },
    api_key: { api: 'select insert update', engine: 'select update' },
    broker_user: { engine: 'select insert update delete' },
    cut_off: { api: 'select update', engine: 'select insert update delete' },
    device_property: { api: 'select', engine: 'select insert update' },
    dock: { api: 'select insert update delete', engine: 'select insert update' },
    kept_message: { engine: 'select insert delete lock:id' },
    invitation: { api: 'select insert update' },
    inbox: { engine: 'select insert delete lock:message_id' },
    member: { api: 'select insert update delete' },
    organisation: { api: 'select insert lock:id', engine: 'select' },
    outbox: { api: 'select insert', engine: 'select insert update delete' },
    person: { api: 'select insert update' },
    session: { api: 'select insert update', engine: 'select delete lock:id' },
    setup_link: { api: 'select insert update' },
  },
  functions: { 'prune_audit(integer)': ['engine'] },
};
