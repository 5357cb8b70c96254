import type { SchemaRights } from '@aerie/persistence';

/**
 * Who may do what with the tables of missions. A timeline is added to and read: nobody changes an entry, and the engine
 * deletes those that are old. What a person decides about a flight takes along what its dock has reported until then.
 */
export const RIGHTS: SchemaRights = {
  tables: {
    breakpoint: { api: 'select', engine: 'select insert delete' },
    database_origin: { engine: 'select insert update' },
    dock: { api: 'select insert update', engine: 'select insert update' },
    dock_call: { api: 'select insert update', engine: 'select insert update delete' },
    dock_reservation: { api: 'select insert update delete', engine: 'select insert update delete' },
    flight_live: { api: 'select insert update', engine: 'select insert update delete' },
    flight_track: { api: 'select insert', engine: 'select insert' },
    flight_track_other: { engine: 'select delete lock:id' },
    idempotency_key: { api: 'select insert update delete', engine: 'select delete lock:key' },
    inbox: { engine: 'select insert delete lock:message_id' },
    mission: { api: 'select insert update', engine: 'select insert update delete' },
    outbox: { api: 'select insert', engine: 'select insert update delete' },
    policy: { api: 'select insert update', engine: 'select' },
    preflight: { api: 'select insert', engine: 'select insert update delete' },
    timeline: { api: 'select insert', engine: 'select insert delete' },
    wayline: { api: 'select insert update', engine: 'select' },
  },
  sequences: { flight_track_id: ['api', 'engine'] },
  functions: {
    'current_origin()': ['api', 'engine'],
    'make_flight_track_days(integer)': ['engine'],
    'drop_flight_track_days(integer)': ['engine'],
  },
};
