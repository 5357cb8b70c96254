export {
  ACTIVE_STATES,
  type Approval,
  CLAIM_MARGIN_MS,
  type Cause,
  type CauseCode,
  DEFAULT_TIMING,
  type Decision,
  type Delivery,
  type Effect,
  type EventOf,
  type EventType,
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
  type LateEffect,
  type OrderEffect,
  type UnsentCause,
  isOrder,
} from './mission.types.js';
export { EVENT_TYPES, decide, goesOnAsBefore, mayExecute, mayHaveStarted, transitions } from './mission.machine.js';
export { type Observation, dueEvent, judgeObservation } from './mission.due.js';
export { isApproved } from './mission.approval.js';
export { type ApprovalWish, type Plan, planAnew, planMission } from './mission.plan.js';
export { type Coordinates, type RouteDistances, groundDistanceMeters, routeDistances } from './geometry.js';
export { type Span, earliestExecuteAtMs, leadMs, occupiedSpan } from './mission.timing.js';
export { lifecycleMatrix } from './matrix.js';
export { DETAIL_PRUNED, type Difference, type Replay, type ReplayEntry, replay } from './replay.js';
export * from './preflight/index.js';
