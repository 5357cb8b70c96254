import { AUDIT_RIGHTS } from '@aerie/http-api';
import { ORGANISATION, ORGANISATION_IF_ANY, PERSON, PERSON_ALONE, type SchemaRights } from '@aerie/persistence';

/**
 * A transaction is for an organisation, for a person in whatever organisation, or for both at once. What raises is in no
 * sub-select: the planner would look at it there where nobody asks for it.
 */
const reached = (byOrganisation: (organisation: string) => string, byPerson: string): string =>
  `CASE WHEN ${PERSON} IS NULL THEN ${ORGANISATION} IS NOT NULL AND ${byOrganisation(ORGANISATION_IF_ANY)}
        ELSE ${byPerson} OR coalesce(${byOrganisation(ORGANISATION_IF_ANY)}, false) END`;
const REACHED_BY_MEMBER = reached((organisation) => `organisation_id = ${organisation}`, `person_id = ${PERSON}`);

const OF_DOCK = { table: 'dock', by: 'dock_sn', key: 'sn' } as const;

/** Who may do what with the tables of docks and keys. Where an aircraft went, and what a dock said, is never changed. */
export const RIGHTS: SchemaRights = {
  isWalled: true,
  tables: {
    ...AUDIT_RIGHTS.tables,
    aircraft: { api: 'select update delete', engine: 'select insert update delete' },
    aircraft_move: { api: 'select insert delete', engine: 'select insert delete' },
    alarm: { api: 'select update', engine: 'select insert update delete' },
    api_key: { api: 'select insert update' },
    broker_user: { engine: 'select insert update delete', belongsTo: OF_DOCK },
    cut_off: { api: 'select update', engine: 'select insert update delete' },
    device_property: { api: 'select', engine: 'select insert update', belongsTo: { ...OF_DOCK, by: 'sn' } },
    dock: { api: 'select insert update delete', engine: 'select insert update', dock: 'sn' },
    kept_message: { engine: 'select insert delete lock:id' },
    identity: { api: 'select insert', reachedWhere: REACHED_BY_MEMBER },
    identity_provider: { api: 'select insert update delete' },
    invitation: { api: 'select insert update' },
    inbox: { engine: 'select insert delete lock:message_id', ofNobody: 'the API has nothing to do with it' },
    member: { api: 'select insert update delete', reachedWhere: REACHED_BY_MEMBER },
    organisation: {
      ...{ api: 'select insert lock:id', engine: 'select' },
      reachedWhere: reached(
        (organisation) => `id = ${organisation}`,
        `EXISTS (SELECT FROM fleet.member m WHERE m.organisation_id = organisation.id AND m.person_id = ${PERSON})`,
      ),
    },
    outbox: {
      ...{ api: 'select insert', engine: 'select insert update delete' },
      ofNobody: 'facts of all organisations leave in one order',
    },
    // A person's own, in whatever organisation.
    passkey: { api: 'select insert update delete', reachedWhere: `person_id = ${PERSON_ALONE}` },
    // Its members, and whoever signs in or enters.
    person: {
      api: 'select insert update',
      reachedWhere: reached(
        (organisation) =>
          `EXISTS (SELECT FROM fleet.member m WHERE m.organisation_id = ${organisation} AND m.person_id = person.id)`,
        `id = ${PERSON}`,
      ),
    },
    session: {
      ...{ api: 'select insert update', engine: 'select delete lock:id' },
      reachedWhere: REACHED_BY_MEMBER,
    },
    site: { api: 'select insert update delete', engine: 'select' },
    // It has the id of the organisation that it makes.
    setup_link: { api: 'select insert update', reachedWhere: `id = ${ORGANISATION}` },
    used_sign_in: { api: 'select insert', engine: 'select delete lock:id' },
  },
  functions: {
    'organisation_of_invitation(uuid)': ['api'],
    'organisation_of_key(uuid)': ['api'],
    'organisation_of_provider(uuid)': ['api'],
    'organisation_of_session(uuid)': ['api'],
    'person_of(text)': ['api'],
    'person_of_passkey(text)': ['api'],
    ...AUDIT_RIGHTS.functions,
    'yield_claim(text,integer)': ['api'],
  },
};
