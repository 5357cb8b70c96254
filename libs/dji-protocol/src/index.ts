export {
  CHANNELS,
  baseChannelOf,
  directionOf,
  isReplyChannel,
  parseTopic,
  replyChannelOf,
  topicFor,
  uplinkFilters,
  type BaseChannel,
  type Channel,
  type Direction,
  type ParsedTopic,
  type ReplyChannel,
  type TopicOptions,
  type TopicResult,
} from './topics.js';
export { MAX_PAYLOAD_BYTES, type JsonObject } from './payload.js';
export { type Envelope } from './envelope.js';
export { decodeMessage, type DecodedMessage, type RefusedMessage, type WireMessage } from './decode.js';
export { composeEnvelope, encodeReply, encodeService, type EnvelopeParts } from './encode.js';
export {
  METHODS,
  UNSUPPORTED_REQUEST_RESULT,
  findMethod,
  genericAnswer,
  ownerOf,
  type Method,
  type MethodOwner,
  type Owner,
} from './methods.js';
export {
  DOCK_MODELS,
  GENERATIONS,
  NEWEST_GENERATION,
  dockModelOf,
  generationOf,
  speaks,
  type DockModel,
  type DockProfile,
  type Generation,
} from './dock-profile.js';
export {
  USER_RETURN_RESULT,
  isEndedByPerson,
  isAlreadyRunning,
  isBusyForLogs,
  isBusyForNow,
  isCannotCancelRunning,
  isNotPrepared,
  meaningOf,
} from './result-codes.js';
export { ERROR_CODES, errorCode, type ErrorCode } from './catalogue/error-codes.js';
export { type Advice, type Retry } from './catalogue/advice.js';
export { breakReasonMeaning } from './break-reasons.js';
export { inspectLine } from './inspect.js';
export { isMessage, type ServiceData, type ServiceMethod, type WireData } from './wire-data.js';
export { type PlainReply, type ReplyWith } from './reply.js';
export { type WaylineFile } from './wayline/wayline-file.js';
export { type ResumePoint } from './wayline/resume-point.js';
export { type FlighttaskCreate } from './wayline/flighttask-create.js';
export { type FlighttaskPrepare, type ReadyConditions, type SimulateMission } from './wayline/flighttask-prepare.js';
export { type FlighttaskExecute, type LeapfrogDock, type MultiDockTask } from './wayline/flighttask-execute.js';
export { type FlighttaskUndo } from './wayline/flighttask-undo.js';
export { type BreakPoint, type FlighttaskProgress, type FlighttaskProgressExt } from './wayline/flighttask-progress.js';
export {
  FLIGHTTASK_STATUSES,
  isTerminalStatus,
  type DocumentedFlighttaskStatus,
  type FlighttaskStatus,
} from './wayline/flighttask-status.js';
export { decodeHms, type Hms, type HmsAlarm } from './device/hms.js';
export { type DeviceExitHomingNotify } from './wayline/device-exit-homing-notify.js';
export { type FlightSetupExceptionNotify } from './wayline/flight-setup-exception-notify.js';
export { type FlighttaskProgressGet, type FlighttaskProgressGetReply } from './wayline/flighttask-progress-get.js';
export { type FlighttaskStop } from './wayline/flighttask-stop.js';
export { type FlighttaskReady } from './wayline/flighttask-ready.js';
export { type FlighttaskResourceGet, type FlighttaskResourceGetReply } from './wayline/flighttask-resource-get.js';
export { type NoData } from './wayline/no-data.js';
export { type DockHomeInfo, type ReturnHomeInfo, type ReturnPathPoint } from './wayline/return-home-info.js';
export { type ReturnHomeReply } from './wayline/return-home.js';
export { type ReturnSpecificHome } from './wayline/return-specific-home.js';
export { type TopologyDevice, type TopologySubDevice, type UpdateTopo } from './device/update-topo.js';
export { type ConfigReply, type ConfigRequest } from './device/config.js';
export { type FileUploadCallback, type MediaMetadata, type UploadedFile } from './storage/file-upload-callback.js';
export { type StorageConfig, type StorageConfigGet, type StorageConfigGetReply } from './storage/storage-config-get.js';
export { type StorageKeys, keysEndAtMs } from './storage/storage-keys.js';
export { type LogModuleCode, logInstantMs } from './logs/log-module.js';
export {
  type FileuploadList,
  type FileuploadListReply,
  type ListedLogs,
  type LoggedBoot,
} from './logs/fileupload-list.js';
export { type FileuploadStart, type LogArchive } from './logs/fileupload-start.js';
export { type FileuploadUpdate } from './logs/fileupload-update.js';
export {
  type FileuploadProgress,
  type LogFileProgress,
  type LogStatus,
  LOG_STATUSES,
  isTerminalLogStatus,
} from './logs/fileupload-progress.js';
export { type AirportBindStatus, type AirportBindStatusReply, type BindStatus } from './device/airport-bind-status.js';
export { type AirportOrganizationGet, type AirportOrganizationGetReply } from './device/airport-organization-get.js';
export {
  type AirportOrganizationBind,
  type AirportOrganizationBindReply,
  type BindDevice,
  type BindOutcome,
} from './device/airport-organization-bind.js';
