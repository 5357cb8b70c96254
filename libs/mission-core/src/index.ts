export {
  ACTIVE_STATES,
  CLAIM_MARGIN_MS,
  type Cause,
  type CauseCode,
  DEFAULT_TIMING,
  type Decision,
  type Effect,
  IMMEDIATE_PREPARES,
  type Mission,
  type MissionEvent,
  type MissionKind,
  type MissionState,
  OUTCOMES,
  type ReportedOutcome,
  STATES,
  type Timing,
  isOutcome,
} from './mission.types.js';
export { EVENT_TYPES, decide, mayExecute } from './mission.machine.js';
export { type Observation, dueEvent, judgeObservation } from './mission.due.js';
export { type Plan, planMission } from './mission.plan.js';
export { lifecycleMatrix } from './matrix.js';
