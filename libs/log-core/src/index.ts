export {
  ACTIVE_STATES,
  type Cause,
  type CauseCode,
  type CheckedFile,
  type Decision,
  type Effect,
  type FileState,
  type HoldReason,
  LOG_MODULES,
  type LogFile,
  type LogModule,
  type LogUpload,
  OUTCOMES,
  type Outcome,
  STATES,
  type Selection,
  type StopReason,
  type ToldFile,
  type UploadEvent,
  type UploadState,
  type WantedBoot,
  isOutcome,
} from './upload.types.js';
export {
  DEFAULT_TIMING,
  START_LIFETIME_MS,
  STOP_LEAD_MS,
  type Timing,
  exportTakesMs,
  neededMs,
} from './upload.timing.js';
export { allEnded, tellsMore } from './upload.files.js';
export { decide } from './upload.machine.js';
export { type Due, dueNow } from './upload.due.js';
export { BOOTS_LIMIT, type ListedBoot, type ListedModule, chooseBoots, modulesOf } from './choose-boots.js';
export {
  type ContentHashes,
  type ObjectVerdict,
  type Proof,
  type SeenObject,
  isBelow,
  judgeObject,
} from './judge-object.js';
export {
  CAMPAIGN_STATES,
  CAMPAIGN_WISHES,
  type Campaign,
  type CampaignState,
  type CampaignStep,
  type CampaignWish,
  type Ended,
  type Hours,
  type Pace,
  type Tally,
  type Threshold,
  afterWish,
  isCampaignOver,
  nextStep,
  opensAtMs,
} from './campaign.js';
export { lifecycleMatrix } from './matrix.js';
