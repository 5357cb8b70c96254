/** Which program consumes a dock's message. `none`: nobody asked for it, fleet-service keeps it. `any`: only its tid can tell. */
export type Owner = 'mission' | 'fleet' | 'log' | 'credential' | 'none' | 'any';

/** The kinds of stored uplinks. */
export type UplinkKind = 'events' | 'requests' | 'replies' | 'status' | 'state';

/** Stands for the method in the subject of a message that has none. */
export const NO_METHOD = '_none';

/** Owners of what no flight waits for. */
export type BulkOwner = 'fleet' | 'log' | 'credential' | 'none';

/**
 * Under which subjects one uplink is stored: `dock.v1.<owner>.<sn>.<kind>.<method>` where a flight, its start or a dock
 * on its way online waits for it, `bulk.v1.…` otherwise. All parts are already checked to be one token.
 */
export function uplinkSubjects(owner: Owner, sn: string, kind: UplinkKind, method: string | null): readonly string[] {
  const rest = `${sn}.${kind}.${method ?? NO_METHOD}`;
  switch (owner) {
    case 'mission':
      return [`dock.v1.mission.${rest}`];
    case 'any':
      // Only its tid can tell whose command it answers. Written to each, so that nobody reads the store of another.
      return [`dock.v1.mission.${rest}`, `bulk.v1.log.${rest}`];
    case 'fleet':
      return [`${isDecisive(kind) ? 'dock' : 'bulk'}.v1.fleet.${rest}`];
    default:
      return [`bulk.v1.${owner}.${rest}`];
  }
}

/**
 * Topologies, binding, configuration: without an answer to them a dock does not come online. And properties that are told
 * when they change, once: a start is decided by them, so an old value must not stand for a new one that was set aside.
 */
const isDecisive = (kind: UplinkKind): boolean => kind === 'requests' || kind === 'status' || kind === 'state';

const BULK = 'bulk.v1.';
const OVERFLOW = 'overflow.v1.';

export const isBulk = (subject: string): boolean => subject.startsWith(BULK);

/** Where an uplink is kept that its bulk stream refused, and back. */
export const overflowSubject = (bulkSubject: string): string => OVERFLOW + bulkSubject.slice(BULK.length);
export const overflowedSubject = (subject: string): string => BULK + subject.slice(OVERFLOW.length);
/** All of one device, or all. */
export const overflowSubjectsOf = (sn: string | undefined): string =>
  sn === undefined ? `${OVERFLOW}>` : `${OVERFLOW}*.${sn}.>`;

/** Telemetry, the payload as it came: not stored, the freshest wins. */
export const rawOsdSubject = (sn: string): string => `osd.v2.${sn}`;
export const RAW_OSD_SUBJECTS = 'osd.v2.*';
/** When the ingress received it, milliseconds since the epoch by the ingress's clock. */
export const RECEIVED_AT_HEADER = 'Aerie-Received-At-Ms';

/** Telemetry as the release before reads it. */
export const osdSubject = (sn: string): string => `osd.v1.${sn}`;
export const OSD_SUBJECTS = 'osd.v1.*';

/** How a dock speaks, where an operator has to know it. Not stored. */
export const noteSubject = (sn: string): string => `note.v1.${sn}`;
export const NOTE_SUBJECTS = 'note.v1.*';

/** A device that stays far over its budget. Not stored. */
export const floodSubject = (sn: string): string => `flood.v1.${sn}`;
export const FLOOD_SUBJECTS = 'flood.v1.*';

/** Which connections to the broker each ingress has. Not stored. */
export const INGRESS_LINKS_SUBJECT = 'ingress.v1.links';

/** What could not be read, kept with the reason. */
export const deadLetterSubject = (sn: string): string => `dead.v1.${sn}`;
/** The serial number part where even the topic could not be read. */
export const NO_SN = '_none';

/** A fact of our own for other services: `<service>.v1.<organisation>.<event>`. */
export function factSubject(service: 'mission' | 'fleet' | 'log', organisationId: string, event: string): string {
  return `${service}.v1.${organisationId}.${event}`;
}

/**
 * Whether every subject that `pattern` matches is matched by `filter` too. Both may hold the wildcards of NATS; a
 * subject without wildcards is the simplest pattern.
 */
export function subjectMatches(filter: string, pattern: string): boolean {
  const wanted = filter.split('.');
  const tokens = pattern.split('.');
  for (const [index, token] of wanted.entries()) {
    const given = tokens[index];
    if (given === undefined) return false;
    if (token === '>') return true;
    if (given === '>' || (token !== '*' && token !== given)) return false;
  }
  return wanted.length === tokens.length;
}
