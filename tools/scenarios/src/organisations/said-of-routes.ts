/**
 * What docs/access.md says of each route, written down by hand and never made of the code: by `operationId` the roles that
 * may ask for it. v viewer, p planner, i pilot, f fleet_admin, o org_admin, a auditor; `*` is open to all.
 */
const SAID = {
  'createMission createMissions previewMission rescheduleMission resumeFromBreakPoint': 'pi',
  'listMissions getMission getTimeline getTrack getPreflight listCommands listBreakPoints': 'vpifo',
  cancelMission: 'pif',
  'approveMission refuseMission resolveMission pause returnHome stop abortSetup': 'if',
  'resume cancelReturnHome returnToDock': 'i',
  'getMissionPolicy getLogPolicy': 'vpifo',
  'replaceMissionPolicy replaceLogPolicy': 'f',
  listErrorCodes: 'vpifoa',
  'uploadWayline changeWayline': 'pi',
  'listWaylines getWayline getWaylineRoute': 'vpifo',
  'getStorage listIssues listRevocations': 'fo',
  'replaceStorage removeStorage examineStorage revokeKeys presignUpload presignDownload': 'f',
  'createLogListing createLogUpload cancelLogUpload': 'f',
  'createLogCampaign pauseLogCampaign resumeLogCampaign cancelLogCampaign': 'f',
  'listLogUploads getLogUpload getLogUploadTimeline listLogFiles getLogUsage getLogFile getLogFileDownload': 'vpifo',
  'createLogBundle listLogCampaigns getLogCampaign listLogCampaignDocks': 'vpifo',
  'registerDock correctDock correctDockSerialNumber retireDock endDockCutOff keepDockCutOff': 'f',
  'releaseAircraft enterDockPosition renewDockCredentials': 'f',
  'createSite changeSite deleteSite': 'f',
  'listSites getSite': 'vpifo',
  'listDocks getDock listDockCutOffs listDockAircraft getDockState': 'vpifo',
  'listAlarms getAlarm': 'vpifo',
  'acknowledgeAlarm changeAlarm': 'pif',
  'createApiKey rotateApiKey revokeApiKey': 'o',
  'listApiKeys getApiKey listMembers getMember listInvitations listIdentityProviders': 'oa',
  'listAuditRecords listMissionAuditRecords listLogAuditRecords listStorageAuditRecords': 'oa',
  'changeMember removeMember createInvitation revokeInvitation': 'o',
  'createIdentityProvider changeIdentityProvider removeIdentityProvider': 'o',
  'listSessions endSession getMe changePassword': 'vpifoa',
  'listPasskeys beginPasskey addPasskey removePasskey': 'vpifoa',
  'setUpOrganisation acceptInvitation signIn finishProviderSignIn beginProviderSignIn': '*',
  'beginPasskeySignIn signInWithPasskey': '*',
  'getOpenApi getStorageOpenApi getLogOpenApi getFleetOpenApi': '*',
} as const;

/** Of these the routes that are left to whoever is limited to sites, and open ones. All others concern the organisation. */
export const SAID_AT_SITES: ReadonlySet<string> = new Set([
  ...['createMission', 'createMissions', 'previewMission', 'rescheduleMission', 'resumeFromBreakPoint', 'listMissions'],
  ...['getMission', 'getTimeline', 'getTrack', 'getPreflight', 'listCommands', 'listBreakPoints', 'cancelMission'],
  ...['resolveMission', 'pause', 'returnHome', 'stop', 'abortSetup', 'resume', 'cancelReturnHome', 'returnToDock'],
  ...['listErrorCodes', 'uploadWayline', 'listWaylines', 'getWayline', 'getWaylineRoute'],
  ...[
    'createLogListing',
    'createLogUpload',
    'cancelLogUpload',
    'listLogUploads',
    'getLogUpload',
    'getLogUploadTimeline',
  ],
  ...['listLogFiles', 'getLogUsage', 'getLogFile', 'getLogFileDownload', 'createLogBundle'],
  ...['correctDock', 'retireDock', 'endDockCutOff', 'keepDockCutOff', 'releaseAircraft', 'enterDockPosition'],
  ...['listDocks', 'getDock', 'listDockCutOffs', 'listDockAircraft', 'getDockState'],
  ...['listAlarms', 'getAlarm', 'acknowledgeAlarm', 'changeAlarm', 'approveMission', 'refuseMission'],
  ...['listSites', 'getSite', 'listSessions', 'endSession', 'getMe', 'changePassword'],
  ...['listPasskeys', 'beginPasskey', 'addPasskey', 'removePasskey'],
]);

export const SAID_OF_ROUTES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(SAID).flatMap(([names, roles]) => names.split(' ').map((name): [string, string] => [name, roles])),
);

export const ROLE_LETTERS: Readonly<Record<string, string>> = {
  ...{ v: 'viewer', p: 'planner', i: 'pilot', f: 'fleet_admin', o: 'org_admin', a: 'auditor' },
};
