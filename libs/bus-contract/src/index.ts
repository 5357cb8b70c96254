export {
  NO_METHOD,
  NO_SN,
  OSD_SUBJECTS,
  type Owner,
  type UplinkKind,
  deadLetterSubject,
  dockSubject,
  factSubject,
  osdSubject,
} from './subjects.js';
export {
  CONSUMERS,
  type ConsumerSpec,
  DEAD_LETTER_STREAM,
  DOCK_STREAM,
  FACTS_STREAM,
  FLEET_DOCK_CONSUMER,
  MISSION_DOCK_CONSUMER,
  STREAMS,
  type StreamSpec,
} from './streams.js';
export {
  MISSION_FACTS,
  type MissionAlarm,
  type MissionCreated,
  type MissionFactName,
  type MissionResolved,
  type MissionStateChanged,
  missionAlarm,
  missionCreated,
  missionResolved,
  missionStateChanged,
  missionStateName,
} from './mission-facts.js';
export { type DeadLetter, type DockFact, type OsdFact, deadLetter, dockFact, osdFact } from './dock-fact.js';
export {
  type DockModel,
  type DockRecord,
  type DockStateView,
  FLIGHT_GATE_PROPERTIES,
  type Principal,
  type Question,
  type SendAnswer,
  type SendAsk,
  apiKeyQuestion,
  dockModel,
  dockQuestion,
  dockRecord,
  dockStateQuestion,
  presignDownloadQuestion,
  sendQuestion,
} from './questions.js';
export { MISSION_PROTO, PROTO_FOLDER } from './proto.js';
