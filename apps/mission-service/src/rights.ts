import { AUDIT_RIGHTS } from '@aerie/http-api';
import type { SchemaRights } from '@aerie/persistence';

const OF_MISSION = { table: 'mission', by: 'mission_id' } as const;

/**
 * Who may do what with the tables of missions. A timeline is added to and read: nobody changes an entry, and the engine
 * deletes those that are old. What a person decides about a flight takes along what its dock has reported until then.
 */
export const RIGHTS: SchemaRights = {
  isWalled: true,
  tables: {
    ...AUDIT_RIGHTS.tables,
    breakpoint: { api: 'select', engine: 'select insert delete', belongsTo: OF_MISSION },
    database_origin: { engine: 'select insert update', ofNobody: 'the API has nothing to do with it' },
    dock: { api: 'select insert update', engine: 'select insert update', dock: 'sn' },
    dock_call: { api: 'select insert update', engine: 'select insert update delete', belongsTo: OF_MISSION },
    // Of its dock: it may be held by a log upload, which is no row of this schema.
    dock_reservation: {
      ...{ api: 'select insert update delete', engine: 'select insert update delete' },
      belongsTo: { table: 'dock', by: 'dock_sn', key: 'sn' },
    },
    flight_live: { api: 'select insert update', engine: 'select insert update delete', belongsTo: OF_MISSION },
    flight_track: { api: 'select insert', engine: 'select insert', belongsTo: OF_MISSION },
    flight_track_other: { engine: 'select delete lock:id', belongsTo: OF_MISSION },
    idempotency_key: { api: 'select insert update delete', engine: 'select delete lock:key' },
    inbox: { engine: 'select insert delete lock:message_id', ofNobody: 'the API has nothing to do with it' },
    mission: { api: 'select insert update', engine: 'select insert update delete' },
    outbox: {
      ...{ api: 'select insert', engine: 'select insert update delete' },
      ofNobody: 'facts of all organisations leave in one order',
    },
    policy: { api: 'select insert update', engine: 'select' },
    preflight: { api: 'select insert', engine: 'select insert update delete', belongsTo: OF_MISSION },
    timeline: { api: 'select insert', engine: 'select insert delete', belongsTo: OF_MISSION },
    wayline: { api: 'select insert update', engine: 'select' },
  },
  sequences: { flight_track_id: ['api', 'engine'] },
  functions: {
    ...AUDIT_RIGHTS.functions,
    'current_origin()': ['api', 'engine'],
    'make_flight_track_days(integer)': ['engine'],
    'drop_flight_track_days(integer)': ['engine'],
  },
};
