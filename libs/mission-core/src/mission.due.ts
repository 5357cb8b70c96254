import { isApproved, isTooLateToApprove } from './mission.approval.js';
import { mayExecute } from './mission.machine.js';
import { flightEndsByMs, isAcceptedByDock, isSeenOver } from './mission.timing.js';
import { CLAIM_MARGIN_MS, IMMEDIATE_PREPARES, type Mission, type MissionEvent, type Timing } from './mission.types.js';

/** Undos are repeated this often before a cancel is taken as done: execute never left, so nothing can fly. */
const UNDO_LIMIT = 6;

/**
 * What time alone has brought about, or null when it is too early for anything. Called for every row whose
 * `nextActionAtMs` has come; calling it earlier, later or twice is harmless.
 */
export function dueEvent(mission: Mission, nowMs: number, timing: Timing): MissionEvent | null {
  if (mission.nextActionAtMs === null || nowMs < mission.nextActionAtMs) return null;
  // A conditional mission has no deadline before the dock is ready, but the end of its window.
  const endMs = mission.deadlineMs ?? mission.readyUntilMs;
  const closed = endMs !== null && nowMs >= endMs - CLAIM_MARGIN_MS;
  switch (mission.state) {
    case 'awaiting_approval':
      return isTooLateToApprove(mission, nowMs) ? { type: 'approvalMissing' } : null;
    case 'scheduled':
      if (closed) return { type: 'windowClosed' };
      return isApproved(mission) ? { type: 'prepareDue' } : null;
    case 'preparing':
      if (closed) return { type: 'windowClosed' };
      if (!isApproved(mission)) return null;
      // Without a window to wait for, only the count ends it.
      if ((mission.kind === 'immediate' || endMs === null) && mission.prepareCount >= IMMEDIATE_PREPARES) {
        return { type: 'prepareGivenUp' };
      }
      return { type: 'prepareOverdue' };
    case 'waiting_ready':
      return { type: 'windowClosed' };
    case 'prepared':
      if (closed) return { type: 'windowClosed' };
      return mayExecute(mission, nowMs, timing) ? { type: 'executeDue' } : null;
    case 'starting':
      return isUnobserved(mission, nowMs, timing) ? { type: 'observationGivenUp' } : { type: 'replyOverdue' };
    case 'executing':
    case 'paused':
      if (isUnobserved(mission, nowMs, timing)) return { type: 'observationGivenUp' };
      return { type: isSilent(mission, nowMs, timing) ? 'progressSilent' : 'progressHeard' };
    case 'canceling':
      return mission.undoCount >= UNDO_LIMIT ? { type: 'cancelGivenUp' } : { type: 'undoOverdue' };
    default:
      return null;
  }
}

/** What a dock reports of a flight that goes on moves no `nextActionAtMs`; so it is compared only once that has come. */
const isSilent = ({ heardAtMs }: Mission, nowMs: number, timing: Timing): boolean =>
  heardAtMs === null || nowMs - heardAtMs >= timing.silenceMs;

function isUnobserved(mission: Mission, nowMs: number, timing: Timing): boolean {
  const startedMs = mission.startedAtMs ?? mission.sinceMs;
  const heardMs = Math.max(mission.heardAtMs ?? 0, startedMs, mission.sinceMs);
  return nowMs - heardMs >= timing.unobservedMs || nowMs >= flightEndsByMs(mission, timing);
}

/** What a look at the dock showed. */
export type Observation =
  /** `flying`: its aircraft flies a wayline. `unknown`: it proves nothing. */
  | { readonly shows: 'flying' | 'unknown' }
  /** Idle, with its aircraft inside. */
  | {
      readonly shows: 'resting';
      /** How long ago the oldest of the values that say so came in. */
      readonly saidAgoMs: number;
      /** How long it has been heard without a gap. Null: there never was one. */
      readonly inSightForMs: number | null;
    };

/**
 * What an observation means for a flight that the dock is silent about. Null: nothing yet, look again.
 * Rest soon after execute proves nothing, since docks take minutes to get ready; so it counts only where it was said after
 * the grace: a dock that left since its last word may be in the air. One that was out of sight may have flown and landed.
 */
export function judgeObservation(
  mission: Mission,
  observation: Observation,
  nowMs: number,
  timing: Timing,
): MissionEvent | null {
  if (observation.shows === 'flying') return { type: 'observedFlying' };
  if (mission.state === 'executing' || mission.state === 'paused')
    return judgeRest(mission, observation, nowMs, timing);
  if (observation.shows !== 'resting' || mission.state !== 'starting') return null;
  const startedMs = mission.startedAtMs ?? mission.sinceMs;
  if (inSightSinceMs(observation, nowMs) >= startedMs) return null;
  // A dock that accepted execute and then went idle has flown, or not: that it never started is not proven.
  const saidMs = nowMs - observation.saidAgoMs;
  if (isAcceptedByDock(mission) || saidMs < (mission.deadlineMs ?? startedMs) + timing.startGraceMs) return null;
  return { type: 'observedNotStarted' };
}

function judgeRest(
  mission: Mission,
  observation: Exclude<Observation, { readonly shows: 'flying' }>,
  nowMs: number,
  timing: Timing,
): MissionEvent | null {
  const unclear: MissionEvent | null = mission.restingSinceMs === null ? null : { type: 'observedUnclear' };
  if (observation.shows !== 'resting') return unclear;
  // What came in before the last word about the flight says nothing of the time since.
  const heardMs = mission.heardAtMs ?? mission.startedAtMs ?? mission.sinceMs;
  if (nowMs - observation.saidAgoMs <= heardMs) return unclear;
  const sinceMs = inSightSinceMs(observation, nowMs);
  const type = isSeenOver(mission, sinceMs, nowMs, timing) ? 'observedOver' : 'observedResting';
  return { type, inSightSinceMs: sinceMs };
}

const inSightSinceMs = ({ inSightForMs }: { readonly inSightForMs: number | null }, nowMs: number): number =>
  inSightForMs === null ? 0 : nowMs - inSightForMs;
