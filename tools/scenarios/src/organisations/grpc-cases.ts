import type { Things } from './organisation.js';

type Message = Readonly<Record<string, unknown>>;

export interface GrpcCase {
  /** Requests that name things, one for each place where the method can name one. */
  readonly naming?: (named: Things, own: Things) => readonly Message[];
  /** Requests that name nothing, or things of the caller. */
  readonly plain?: (own: Things) => readonly Message[];
  /** It goes on for as long as the thing does: only a refusal ends it. */
  readonly endless?: boolean;
}

const inHours = (hours: number): Message => ({ seconds: Math.floor(Date.now() / 1_000) + hours * 3_600, nanos: 0 });
const EXECUTE_AT = inHours(40);
const LATEST = { latest: { count: 1 } };

const withId = (name: keyof Things, more: Message = {}): GrpcCase => ({
  naming: (named) => [{ id: named[name], ...more }],
});
const shows = (name: keyof Things): GrpcCase => ({
  naming: (named) => [{ id: named[name] }],
  plain: (own) => [{ id: own[name] }],
});
const nameless = (request: Message = {}): GrpcCase => ({ plain: () => [request] });
const lists = (filters: (named: Things) => readonly Message[] = () => []): GrpcCase => ({
  plain: () => [{}],
  naming: filters,
});
const newMissions = ({ dockSn, waylineId }: Things, own: Things): readonly Message[] =>
  ['MISSION_KIND_TIMED', 'MISSION_KIND_IMMEDIATE'].flatMap((kind) => {
    const mission = {
      ...{ kind, rthAltitudeMeters: 60 },
      ...(kind === 'MISSION_KIND_TIMED' ? { executeAt: EXECUTE_AT } : {}),
    };
    return [
      { mission: { ...mission, dockSn, waylineId: own.waylineId } },
      { mission: { ...mission, dockSn: own.dockSn, waylineId } },
      { mission: { ...mission, dockSn, waylineId } },
    ];
  });
const CONTROLS = [
  ...['PAUSE', 'RESUME', 'RETURN_HOME', 'CANCEL_RETURN_HOME', 'STOP', 'ABORT_SETUP'].map(
    (action) => `CONTROL_ACTION_${action}`,
  ),
];

/** By service and method: each method of libs/bus-contract/proto has one. */
export const GRPC_CASES: Readonly<Record<string, GrpcCase>> = {
  'MissionService/CreateMission': { naming: newMissions },
  'MissionService/PreviewMission': { naming: newMissions },
  'MissionService/GetMission': shows('flownMissionId'),
  'MissionService/ListMissions': lists(({ dockSn, waylineId }) => [{ dockSn }, { waylineId }]),
  'MissionService/RescheduleMission': withId('plannedMissionId', { executeAt: EXECUTE_AT }),
  'MissionService/CancelMission': withId('plannedMissionId', { reason: 'mine' }),
  'MissionService/ApproveMission': withId('plannedMissionId', { reason: 'mine', expectedVersion: 1 }),
  'MissionService/RefuseMission': withId('plannedMissionId', { reason: 'mine' }),
  'MissionService/ControlMission': {
    naming: ({ flownMissionId, plannedMissionId, dockSn }, own) => [
      ...CONTROLS.map((action) => ({ id: flownMissionId, action })),
      ...[plannedMissionId, own.flownMissionId].map((id) => ({ id, action: 'CONTROL_ACTION_RETURN_TO_DOCK', dockSn })),
    ],
  },
  'MissionService/ResumeMission': {
    naming: ({ flownMissionId, breakPointId }, own) => [
      { id: flownMissionId },
      { id: own.flownMissionId, breakPointId },
      { id: own.flownMissionId, breakPointId: flownMissionId },
    ],
  },
  'MissionService/ResolveMission': withId('flownMissionId', { note: 'mine' }),
  'MissionService/ListTimeline': shows('flownMissionId'),
  'MissionService/WatchMission': {
    naming: ({ flownMissionId, plannedMissionId }) => [{ id: flownMissionId }, { id: plannedMissionId }],
  },
  'CredentialService/GetStorage': nameless(),
  'CredentialService/ReplaceStorage': nameless(),
  'CredentialService/RemoveStorage': nameless(),
  'CredentialService/ExamineStorage': nameless(),
  'CredentialService/ListIssues': lists(({ dockSn, accessKeyId, objectKey, organisationId }) => [
    ...[{ dockSn }, { accessKeyId }, { prefix: objectKey }, { prefix: `org/${organisationId}/` }],
  ]),
  'CredentialService/RevokeKeys': { naming: ({ dockSn }) => [{ dockSn, reason: 'mine' }] },
  'CredentialService/ListRevocations': lists(),
  'CredentialService/PresignUpload': nameless({
    ...{ method: 'UPLOAD_METHOD_PUT', name: 'a.txt', contentType: 'text/plain', sizeBytes: 5 },
  }),
  'CredentialService/PresignDownload': {
    naming: ({ objectKey, organisationId }, own) =>
      [objectKey, `org/${own.organisationId}/../${organisationId}/a.txt`].map((key) => ({ objectKey: key })),
  },
  'LogService/ListDockLogs': { naming: ({ dockSn }) => [{ sn: dockSn }] },
  'LogService/GetLogUpload': shows('uploadId'),
  'LogService/ListLogUploads': lists(({ dockSn, flownMissionId, campaignId }) => [
    ...[{ dockSn }, { missionId: flownMissionId }, { campaignId }],
  ]),
  'LogService/CancelLogUpload': withId('uploadId'),
  'LogService/ListLogFiles': lists(({ dockSn, uploadId, flownMissionId }) => [
    ...[{ dockSn }, { uploadId }, { missionId: flownMissionId }],
  ]),
  'LogService/GetLogFile': shows('fileId'),
  'LogService/GetLogFileDownload': { naming: ({ fileId }) => [{ id: fileId }] },
  'LogService/GetLogUsage': nameless(),
  'LogService/CreateLogCampaign': {
    naming: ({ dockSn }, own) =>
      [{ sns: [dockSn] }, { sns: [own.dockSn, dockSn] }, { nameContains: dockSn }].map((docks) => ({
        campaign: { name: 'mine', docks, logs: LATEST, until: inHours(1) },
      })),
  },
  'LogService/GetLogCampaign': shows('campaignId'),
  'LogService/ListLogCampaigns': lists(),
  'LogService/ListLogCampaignDocks': shows('campaignId'),
  'LogService/PauseLogCampaign': withId('campaignId'),
  'LogService/ResumeLogCampaign': withId('campaignId'),
  'LogService/CancelLogCampaign': withId('campaignId'),
  'LogService/GetLogPolicy': nameless(),
  'LogService/ReplaceLogPolicy': nameless(),
  'LogService/CreateLogUpload': {
    naming: ({ dockSn, flownMissionId }) => [
      { upload: { dockSn, ...LATEST } },
      { upload: { dockSn, missionId: flownMissionId, ...LATEST } },
    ],
  },
};
