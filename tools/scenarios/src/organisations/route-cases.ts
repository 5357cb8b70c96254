import type { Things } from './organisation.js';

/** What is sent to one operation of docs/api. */
export interface Asked {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A session in place of the key. */
  readonly asPerson?: boolean;
}

/** `named` belong to the other organisation or are random, `own` belong to the caller. */
type Naming = (named: Things, own: Things) => readonly Asked[];

export interface RouteCase {
  /** Requests that name things, one for each place where the operation can name one. */
  readonly naming?: Naming;
  /** Requests that name nothing, or things of the caller. */
  readonly plain?: (own: Things) => readonly Asked[];
}

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
const EXECUTE_AT = inHours(40);

const withId = (name: keyof Things, body?: unknown, more: Partial<Asked> = {}): RouteCase => ({
  naming: (named) => [{ path: { id: named[name] }, ...(body === undefined ? {} : { body }), ...more }],
});
/** Reads a thing by its id: the caller's own as well, which must hold nothing of others. */
const shows = (name: keyof Things): RouteCase => ({
  naming: (named) => [{ path: { id: named[name] } }],
  plain: (own) => [{ path: { id: own[name] } }],
});
const withSn = (body?: unknown): RouteCase => ({
  naming: ({ dockSn }) => [{ path: { sn: dockSn }, ...(body === undefined ? {} : { body }) }],
});
const showsDock: RouteCase = {
  naming: ({ dockSn }) => [{ path: { sn: dockSn } }],
  plain: ({ dockSn }) => [{ path: { sn: dockSn } }],
};
/** Has nothing that could name a thing. */
const nameless = (body?: unknown): RouteCase => ({ plain: () => [body === undefined ? {} : { body }] });
const lists = (...filters: readonly (readonly [string, (things: Things) => string])[]): RouteCase => ({
  plain: () => [{}],
  naming: (named) => filters.map(([filter, value]) => ({ query: { [filter]: value(named) } })),
});

const missionsNaming = (named: Things, own: Things, kind: object) => [
  { dockSn: named.dockSn, waylineId: own.waylineId, rthAltitudeMeters: 60, ...kind },
  { dockSn: own.dockSn, waylineId: named.waylineId, rthAltitudeMeters: 60, ...kind },
  { dockSn: named.dockSn, waylineId: named.waylineId, rthAltitudeMeters: 60, ...kind },
];
const TIMED = { kind: 'timed', executeAt: EXECUTE_AT };
const WINDOW = { kind: 'conditional', window: { from: EXECUTE_AT, until: inHours(41), batteryAbovePercent: 50 } };
const KINDS = [TIMED, WINDOW, { kind: 'immediate' }];
const newMissions: Naming = (named, own) =>
  KINDS.flatMap((kind) => missionsNaming(named, own, kind)).map((body) => ({ body }));

const LATEST = { latest: { count: 1 } };
const NEVER_MIND = { token: 'none', email: 'nobody@example.com', name: 'Nobody', password: 'four words make one' };

const AUDIT = lists(
  ['by', ({ memberId }) => `person:${memberId}`],
  ['by', ({ apiKeyId }) => `key:${apiKeyId}`],
  ['resourceId', ({ memberId }) => memberId],
  ['resourceId', ({ apiKeyId }) => apiKeyId],
  ['resourceId', ({ flownMissionId }) => flownMissionId],
  ['resourceId', ({ uploadId }) => uploadId],
);
const NO_PASSKEY = { id: 'AAAA', rawId: 'AAAA', type: 'public-key' };
const NO_ANSWER = { clientDataJSON: 'AAAA', attestationObject: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' };

/** By `operationId`: each operation of docs/api has one. */
export const ROUTE_CASES: Readonly<Record<string, RouteCase>> = {
  // The first: each of the others leaves a record.
  listAuditRecords: AUDIT,
  listMissionAuditRecords: AUDIT,
  listLogAuditRecords: AUDIT,
  listStorageAuditRecords: AUDIT,
  // Missions
  createMission: {
    naming: (named, own) => [
      ...newMissions(named, own),
      ...newMissions(named, own).map((asked) => ({ ...asked, query: { dryRun: 'true' } })),
    ],
  },
  previewMission: { naming: newMissions },
  createMissions: {
    naming: (named, own) =>
      KINDS.flatMap((kind) => [true, false].map((allOrNothing) => ({ kind, allOrNothing }))).map(
        ({ kind, allOrNothing }) => ({ body: { missions: missionsNaming(named, own, kind), allOrNothing } }),
      ),
  },
  listMissions: lists(['dockSn', ({ dockSn }) => dockSn], ['waylineId', ({ waylineId }) => waylineId]),
  getMission: shows('flownMissionId'),
  rescheduleMission: withId('plannedMissionId', { executeAt: EXECUTE_AT }),
  cancelMission: withId('plannedMissionId', { reason: 'mine' }),
  approveMission: withId('plannedMissionId', { reason: 'mine' }, { asPerson: true }),
  refuseMission: withId('plannedMissionId', { reason: 'mine' }),
  resumeFromBreakPoint: {
    naming: (named, own) => [
      { path: { id: named.flownMissionId }, body: {} },
      { path: { id: own.flownMissionId }, body: { breakPointId: named.breakPointId } },
      { path: { id: own.flownMissionId }, body: { breakPointId: named.flownMissionId } },
    ],
  },
  resolveMission: withId('flownMissionId', { note: 'mine' }),
  pause: withId('flownMissionId', {}),
  resume: withId('flownMissionId', {}),
  returnHome: withId('flownMissionId', {}),
  cancelReturnHome: withId('flownMissionId', {}),
  returnToDock: {
    naming: (named, own) => [
      { path: { id: named.flownMissionId }, body: { dockSn: own.dockSn } },
      { path: { id: own.flownMissionId }, body: { dockSn: named.dockSn } },
      { path: { id: named.plannedMissionId }, body: { dockSn: named.dockSn } },
    ],
  },
  stop: withId('flownMissionId', {}),
  abortSetup: withId('plannedMissionId', {}),
  getTimeline: {
    naming: ({ flownMissionId: id }) => [{ path: { id } }, { path: { id }, query: { format: 'ndjson' } }],
    plain: ({ flownMissionId: id }) => [{ path: { id } }],
  },
  getTrack: shows('flownMissionId'),
  getPreflight: shows('flownMissionId'),
  listCommands: shows('flownMissionId'),
  listBreakPoints: shows('flownMissionId'),
  getMissionPolicy: nameless(),
  replaceMissionPolicy: nameless({}),
  listErrorCodes: nameless(),
  getOpenApi: nameless(),
  // Waylines
  uploadWayline: nameless('no route'),
  listWaylines: lists(),
  getWayline: shows('waylineId'),
  changeWayline: withId('waylineId', { name: 'mine' }),
  getWaylineRoute: shows('waylineId'),
  // Storage
  getStorage: nameless(),
  replaceStorage: nameless({}),
  removeStorage: nameless(),
  examineStorage: nameless({}),
  listIssues: lists(
    ['dockSn', ({ dockSn }) => dockSn],
    ['accessKeyId', ({ accessKeyId }) => accessKeyId],
    ['prefix', ({ objectKey }) => objectKey],
    ['prefix', ({ organisationId }) => `org/${organisationId}/`],
  ),
  revokeKeys: {
    naming: ({ dockSn }) => [
      { body: { dockSn, reason: 'mine' } },
      // It is done for a dock that has gone as well, and only for the folder of the caller: see the rows.
      { body: { dockSn, reason: 'mine', formerDock: false } },
    ],
  },
  listRevocations: lists(),
  presignUpload: nameless({ name: 'a.txt', contentType: 'text/plain', sizeBytes: 5 }),
  presignDownload: {
    naming: ({ objectKey, organisationId }, own) =>
      [objectKey, `org/${own.organisationId}/../${organisationId}/a.txt`].map((key) => ({ body: { objectKey: key } })),
  },
  getStorageOpenApi: nameless(),
  // Logs
  createLogListing: withSn({}),
  listLogUploads: lists(
    ['dockSn', ({ dockSn }) => dockSn],
    ['missionId', ({ flownMissionId }) => flownMissionId],
    ['campaignId', ({ campaignId }) => campaignId],
  ),
  getLogUpload: shows('uploadId'),
  getLogUploadTimeline: shows('uploadId'),
  cancelLogUpload: withId('uploadId', {}),
  listLogFiles: lists(
    ['dockSn', ({ dockSn }) => dockSn],
    ['uploadId', ({ uploadId }) => uploadId],
    ['missionId', ({ flownMissionId }) => flownMissionId],
  ),
  getLogUsage: nameless(),
  getLogFile: shows('fileId'),
  getLogFileDownload: { naming: ({ fileId }) => [{ path: { id: fileId } }] },
  createLogBundle: {
    naming: (named, own) => [{ body: { fileIds: [named.fileId] } }, { body: { fileIds: [own.fileId, named.fileId] } }],
  },
  createLogCampaign: {
    naming: ({ dockSn }, own) =>
      [{ sns: [dockSn] }, { sns: [own.dockSn, dockSn] }, { nameContains: dockSn }].map((docks) => ({
        body: { name: 'mine', docks, logs: LATEST, until: inHours(1) },
      })),
  },
  listLogCampaigns: lists(),
  getLogCampaign: shows('campaignId'),
  listLogCampaignDocks: shows('campaignId'),
  pauseLogCampaign: withId('campaignId', {}),
  resumeLogCampaign: withId('campaignId', {}),
  cancelLogCampaign: withId('campaignId', {}),
  getLogPolicy: nameless(),
  replaceLogPolicy: nameless({}),
  getLogOpenApi: nameless(),
  // Docks
  registerDock: {
    naming: ({ siteId }) => [{ body: { sn: 'MINE-1', model: 'dock2', siteId } }],
    plain: () => [{ body: {} }],
  },
  listDocks: lists(['siteId', ({ siteId }) => siteId]),
  getDock: showsDock,
  correctDock: {
    naming: (named, own) => [
      { path: { sn: named.dockSn }, body: { name: 'mine' } },
      { path: { sn: named.dockSn }, body: { siteId: own.siteId } },
      { path: { sn: own.dockSn }, body: { siteId: named.siteId } },
    ],
  },
  correctDockSerialNumber: withSn({ sn: 'MINE-1' }),
  retireDock: withSn(),
  listDockCutOffs: showsDock,
  endDockCutOff: withSn(),
  keepDockCutOff: withSn(),
  listDockAircraft: showsDock,
  releaseAircraft: {
    naming: (named, own) => [
      { path: { sn: named.dockSn, aircraftSn: own.aircraftSn } },
      { path: { sn: own.dockSn, aircraftSn: named.aircraftSn } },
      { path: { sn: named.dockSn, aircraftSn: named.aircraftSn } },
    ],
  },
  getDockState: showsDock,
  enterDockPosition: withSn({ latitude: 1, longitude: 1 }),
  renewDockCredentials: withSn(),
  getFleetOpenApi: nameless(),
  listAlarms: lists(['dockSn', ({ dockSn }) => dockSn], ['deviceSn', ({ dockSn }) => dockSn]),
  getAlarm: shows('alarmId'),
  acknowledgeAlarm: withId('alarmId', { note: 'mine' }),
  changeAlarm: {
    naming: (named, own) => [
      { path: { id: named.alarmId }, body: { note: 'mine' } },
      { path: { id: own.alarmId }, body: { assignedTo: named.memberId } },
    ],
  },
  createSite: nameless({}),
  listSites: lists(),
  getSite: shows('siteId'),
  changeSite: withId('siteId', { name: 'mine' }),
  deleteSite: withId('siteId'),
  // Keys and people
  createApiKey: {
    naming: ({ siteId }) => [{ body: { name: 'mine', roles: ['viewer'], siteIds: [siteId] } }],
    plain: () => [{ body: {} }],
  },
  listApiKeys: lists(),
  getApiKey: shows('apiKeyId'),
  rotateApiKey: withId('apiKeyId', { keepSeconds: 0 }),
  revokeApiKey: withId('apiKeyId'),
  setUpOrganisation: nameless({ ...NEVER_MIND, organisation: 'nowhere' }),
  acceptInvitation: nameless(NEVER_MIND),
  listMembers: lists(),
  getMember: shows('memberId'),
  changeMember: {
    naming: (named, own) => [
      { path: { id: named.memberId }, body: { roles: ['viewer'] } },
      { path: { id: own.memberId }, body: { roles: ['viewer'], siteIds: [named.siteId] } },
    ],
  },
  removeMember: withId('memberId'),
  createInvitation: {
    naming: ({ siteId }) => [{ body: { email: 'mine@example.com', roles: ['viewer'], siteIds: [siteId] } }],
    plain: () => [{ body: {} }],
  },
  listInvitations: lists(),
  revokeInvitation: withId('invitationId'),
  signIn: {
    naming: ({ organisationId }) => [
      { body: { email: NEVER_MIND.email, password: NEVER_MIND.password, organisationId } },
    ],
  },
  listSessions: { plain: () => [{ asPerson: true }] },
  endSession: withId('sessionId', undefined, { asPerson: true }),
  getMe: { plain: () => [{}, { asPerson: true }] },
  changePassword: { plain: () => [{ body: { currentPassword: 'wrong', newPassword: 'wrong' }, asPerson: true }] },
  listPasskeys: { plain: () => [{ asPerson: true }] },
  beginPasskey: { plain: () => [{ body: { currentPassword: 'a wrong password' }, asPerson: true }] },
  addPasskey: {
    naming: ({ passkeyId }) => [
      {
        body: { challengeId: passkeyId, name: 'mine', credential: { ...NO_PASSKEY, response: NO_ANSWER } },
        asPerson: true,
      },
    ],
  },
  removePasskey: withId('passkeyId', undefined, { asPerson: true }),
  beginPasskeySignIn: { plain: () => [{}] },
  signInWithPasskey: {
    naming: ({ passkeyId, organisationId }) => [
      { body: { challengeId: passkeyId, organisationId, credential: { ...NO_PASSKEY, response: NO_ANSWER } } },
    ],
  },
  createIdentityProvider: nameless({}),
  listIdentityProviders: lists(),
  changeIdentityProvider: withId('providerId', { name: 'mine' }),
  removeIdentityProvider: withId('providerId'),
  finishProviderSignIn: {
    naming: ({ organisationId }) => [{ path: { organisationId }, query: { code: 'none', state: 'none' } }],
  },
  // Open to all, by the address that an organisation gives to its people: it says which provider that is, and no more.
  beginProviderSignIn: { plain: ({ providerId }) => [{ path: { id: providerId } }] },
  // The last: what is attached to a mission is found by its id afterwards.
  createLogUpload: {
    naming: (named, own) => [
      { body: { dockSn: named.dockSn, ...LATEST } },
      { body: { dockSn: own.dockSn, missionId: named.flownMissionId, ...LATEST } },
      { body: { dockSn: named.dockSn, missionId: named.flownMissionId, ...LATEST } },
    ],
  },
};
