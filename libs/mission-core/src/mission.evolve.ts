import { askedForApproval } from './mission.approval.js';
import { flightEndsByMs, isAcceptedByDock, leadMs } from './mission.timing.js';
import {
  type Cause,
  type EventOf,
  type Mission,
  type MissionEvent,
  type MissionState,
  type Timing,
  isOutcome,
} from './mission.types.js';

/** The mission after an event: its new state, what the event tells, and when to look at it next. */
export function evolve(
  mission: Mission,
  state: MissionState,
  event: MissionEvent,
  nowMs: number,
  timing: Timing,
): Mission {
  // An ended mission is never touched again; what still comes is evidence, kept beside it.
  if (isOutcome(mission.state)) return mission;
  const told: Mission = {
    ...mission,
    ...factsOf(mission, state, event, nowMs, timing),
    state,
    revision: mission.revision + 1,
    sinceMs: state === mission.state ? mission.sinceMs : nowMs,
  };
  return { ...told, nextActionAtMs: nextActionAtMs(told, state !== mission.state, event, nowMs, timing) };
}

function factsOf(
  mission: Mission,
  state: MissionState,
  event: MissionEvent,
  nowMs: number,
  timing: Timing,
): Partial<Mission> {
  // While a mission starts, only words about the start count: they are what an accepted execute is known by.
  const heard = mission.state === 'starting' ? {} : { heardAtMs: nowMs };
  switch (event.type) {
    case 'prepareDue':
      // Nothing is prepared with a dock that is given flights in one command: its start window counts from here.
      return state === 'prepared'
        ? { deadlineMs: startDeadlineMs(mission, nowMs, timing) }
        : { prepareCount: mission.prepareCount + 1, cause: causeOfPrepare(mission, event) };
    case 'prepareOverdue':
      return { prepareCount: mission.prepareCount + 1, cause: causeOfPrepare(mission, event) };
    case 'prepareUnsent':
      // That nobody was there to get it follows from that.
      return isOfFleet(mission.cause) ? {} : { cause: { code: event.because } };
    case 'prepareAccepted':
    case 'flightReady':
      // From here the start window of a mission without a planned instant counts.
      return state === 'prepared' && mission.state !== 'prepared'
        ? { deadlineMs: startDeadlineMs(mission, nowMs, timing), heardAtMs: nowMs }
        : heard;
    case 'executeUnprepared':
      if (state === mission.state) return heard;
      if (state === 'canceled') return { heardAtMs: nowMs };
      if (isOutcome(state)) return { heardAtMs: nowMs, cause: endingCause(mission, event) };
      return {
        prepareCount: mission.prepareCount + 1,
        startedAtMs: null,
        heardAtMs: nowMs,
        cause: { code: 'dock_forgot_task', dockResult: event.dockResult },
      };
    case 'rescheduled':
      return {
        executeAtMs: event.executeAtMs,
        prepareAtMs: event.prepareAtMs,
        deadlineMs: event.deadlineMs,
        edition: mission.edition + 1,
        prepareCount: 0,
        cause: null,
        approval: mission.approval && askedForApproval(mission.approval.lifetimeMs, { ...mission, ...event }, nowMs),
      };
    case 'approvalGiven':
      // From here as if it were planned now.
      return {
        prepareAtMs: Math.max(mission.prepareAtMs, nowMs),
        approval: mission.approval && { ...mission.approval, givenEdition: mission.edition },
      };
    case 'executeDue':
      return { attempt: mission.attempt + 1, startedAtMs: nowMs, flownAtMs: null, restingSinceMs: null, cause: null };
    case 'executeHeld':
      return { cause: { code: event.because } };
    case 'sendRefused':
      return state === 'prepared'
        ? { startedAtMs: null, cause: { code: event.because ?? 'send_refused' } }
        : stoppedStart(mission, state);
    case 'startWithdrawn':
      return stoppedStart(mission, state);
    case 'executeDeferred':
      if (state === 'canceling' || state === 'canceled') return { ...stoppedStart(mission, state), heardAtMs: nowMs };
      return mission.state === 'starting'
        ? { startedAtMs: null, heardAtMs: nowMs, cause: { code: 'dock_busy', dockResult: event.dockResult } }
        : { heardAtMs: nowMs };
    case 'prepareDeferred':
      return mission.state === 'preparing'
        ? { heardAtMs: nowMs, cause: { code: 'dock_busy', dockResult: event.dockResult } }
        : heard;
    case 'undoOverdue':
      return { undoCount: mission.undoCount + 1 };
    case 'cancelRequested':
      return {
        undoCount: state === 'canceling' ? Math.max(1, mission.undoCount) : 0,
        cause: { code: 'canceled_by_operator' },
      };
    case 'executeAccepted': {
      const startedAtMs = mission.startedAtMs ?? nowMs;
      return { heardAtMs: Math.max(nowMs, startedAtMs + 1), startedAtMs, restingSinceMs: null, cause: null };
    }
    case 'flightInProgress':
    case 'flightPaused':
    case 'observedFlying': {
      const resumed = mission.state === 'paused' && state !== 'paused';
      const isInTheAir =
        event.type === 'observedFlying' || (event.type === 'flightInProgress' && event.airborne === true);
      return {
        heardAtMs: nowMs,
        startedAtMs: mission.startedAtMs ?? nowMs,
        flownAtMs: mission.flownAtMs ?? (isInTheAir ? nowMs : null),
        restingSinceMs: null,
        ...(resumed ? { pausedMs: mission.pausedMs + Math.max(0, nowMs - mission.sinceMs) } : {}),
        cause: null,
      };
    }
    case 'flightSent':
    case 'undoAccepted':
    case 'undoRefused':
      return heard;
    case 'prepareRefused':
    case 'executeRefused':
    case 'flightEnded':
      return isOutcome(state) ? { heardAtMs: nowMs, cause: endingCause(mission, event) } : heard;
    case 'approvalRefused':
    case 'approvalMissing':
    case 'prepareGivenUp':
    case 'windowClosed':
    case 'cancelGivenUp':
    case 'observationGivenUp':
    case 'observedNotStarted':
    case 'observedOver':
      return { cause: endingCause(mission, event) };
    case 'restored':
      // As if its dock had accepted the start: from there only what is heard and seen of the flight counts.
      return state === 'starting'
        ? { heardAtMs: Math.max(nowMs, (mission.startedAtMs ?? nowMs) + 1), cause: { code: 'restored' } }
        : { cause: { code: 'restored' } };
    case 'observedResting':
      return { restingSinceMs: mission.restingSinceMs ?? nowMs };
    case 'observedUnclear':
      return { restingSinceMs: null };
    case 'replyOverdue':
    case 'progressSilent':
    case 'progressHeard':
    case 'pauseRequested':
    case 'resumeRequested':
    case 'returnCancelRequested':
    case 'returnElsewhereRequested':
      return {};
    case 'returnRequested':
    case 'stopRequested':
    case 'setupAbortRequested':
      // While it starts, this is remembered: a start that comes to nothing is not tried again.
      return mission.state === 'starting' && !isAcceptedByDock(mission)
        ? { cause: { code: 'canceled_by_operator' } }
        : {};
  }
}

/** Called off by a person while it started. Its dock, which may still have the task, is told to forget it. */
const stoppedStart = (mission: Mission, state: MissionState): Partial<Mission> => ({
  startedAtMs: null,
  undoCount: state === 'canceling' ? Math.max(1, mission.undoCount) : mission.undoCount,
  cause: { code: 'canceled_by_operator' },
});

/**
 * The deadline once a dock can be told to start. A mission that has no instant of its own may start within its window, or
 * soon after the dock got it: docks refuse a start 30 s after the time in the prepare. That may shorten the deadline with
 * which the mission was planned, and never moves it later.
 */
function startDeadlineMs(mission: Mission, nowMs: number, timing: Timing): number | null {
  const { deadlineMs, executeAtMs, readyUntilMs } = mission;
  if (executeAtMs !== null) return deadlineMs;
  return Math.min(deadlineMs ?? Infinity, readyUntilMs ?? nowMs + timing.startWindowMs);
}

/** It is told all the same: nobody heard the dock lately, and it may hear us. */
function causeOfPrepare({ cause }: Mission, event: EventOf<'prepareDue' | 'prepareOverdue'>): Cause | null {
  if (event.dockIsRetired === true) return { code: 'dock_retired' };
  if (event.dockIsCutOff === true) return { code: 'dock_cut_off' };
  if (event.dockIsAway === true) return { code: 'dock_offline' };
  return isUnsent(cause) ? null : cause;
}

/** What was true of one command says nothing about the next one. */
const isUnsent = (cause: Cause | null): boolean =>
  cause?.code === 'dock_offline' || cause?.code === 'send_refused' || isOfFleet(cause);

/** Why the broker does not let the dock in. */
const isOfFleet = (cause: Cause | null): boolean => cause?.code === 'dock_retired' || cause?.code === 'dock_cut_off';

/** An operator's wish about a flight changes nothing by itself; in particular it puts no watchdog off. */
const isWish = ({ type }: MissionEvent): boolean => type.endsWith('Requested') && type !== 'cancelRequested';

function endingCause(mission: Mission, event: MissionEvent): Cause {
  switch (event.type) {
    case 'approvalRefused':
      return { code: 'approval_refused' };
    case 'approvalMissing':
      return { code: 'approval_missing' };
    case 'prepareRefused':
      return { code: 'prepare_refused', dockResult: event.dockResult };
    case 'executeRefused':
    case 'executeUnprepared':
      return { code: 'execute_refused', dockResult: event.dockResult };
    case 'flightEnded':
      return { code: 'reported_by_dock', dockResult: event.dockResult };
    case 'observedNotStarted':
      return { code: 'not_started' };
    case 'observedOver':
      return { code: 'seen_over' };
    case 'cancelGivenUp':
      return { code: 'undo_unconfirmed' };
    case 'prepareGivenUp':
      if (event.dockIsRetired === true) return { code: 'dock_retired' };
      return mission.cause ?? { code: 'prepare_no_reply' };
    case 'windowClosed':
      if (event.dockIsRetired === true) return { code: 'dock_retired' };
      if (mission.state === 'waiting_ready') return { code: 'never_ready' };
      if (mission.cause !== null) return mission.cause;
      if (mission.state === 'preparing') return { code: 'prepare_no_reply' };
      return { code: mission.kind === 'immediate' ? 'start_deadline_passed' : 'window_closed' };
    default:
      return { code: 'not_observed' };
  }
}

/** When a flight is looked at that says nothing until then. */
function lookAtFlightMs({ heardAtMs }: Mission, { type }: MissionEvent, nowMs: number, timing: Timing): number {
  if (type === 'progressSilent') return nowMs + timing.observeEveryMs;
  return (type === 'progressHeard' ? (heardAtMs ?? nowMs) : nowMs) + timing.silenceMs;
}

/** Between two tries of a claim that a guard held back. */
const HELD_RETRY_MS = 1_000;
/** The same where the window may be hours long. */
const HELD_RETRY_CONDITIONAL_MS = 10_000;
/** Before a dock that was busy is asked again. */
const DEFERRED_RETRY_MS = 5_000;

/** When to look at the mission next. Every state that can be left has an instant: nothing is ever forgotten. */
function nextActionAtMs(
  mission: Mission,
  entered: boolean,
  event: MissionEvent,
  nowMs: number,
  timing: Timing,
): number | null {
  const noLaterThan = (limitMs: number | null, atMs: number): number =>
    limitMs === null ? atMs : Math.min(limitMs, atMs);
  if (isWish(event)) return mission.nextActionAtMs ?? nowMs;
  switch (mission.state) {
    case 'awaiting_approval':
      return noLaterThan(mission.deadlineMs, mission.approval?.untilMs ?? nowMs);
    case 'scheduled':
      return noLaterThan(mission.deadlineMs, mission.prepareAtMs);
    case 'preparing': {
      if (event.type === 'prepareDeferred') return noLaterThan(mission.deadlineMs, nowMs + DEFERRED_RETRY_MS);
      if (!entered && event.type !== 'prepareOverdue') return mission.nextActionAtMs;
      const replyMs = mission.kind === 'immediate' ? timing.immediateReplyMs : timing.replyMs;
      return noLaterThan(mission.deadlineMs, nowMs + replyMs);
    }
    case 'waiting_ready':
      return mission.readyUntilMs ?? nowMs + timing.replyMs;
    case 'prepared': {
      const heldBack = event.type === 'executeHeld' || event.type === 'sendRefused' || event.type === 'executeDeferred';
      const retryMs = mission.kind === 'conditional' ? HELD_RETRY_CONDITIONAL_MS : HELD_RETRY_MS;
      const soonestMs = heldBack ? nowMs + retryMs : Math.max(nowMs, (mission.readyFromMs ?? 0) + 1);
      const dueMs = mission.executeAtMs === null ? soonestMs : mission.executeAtMs - leadMs(mission, timing);
      return noLaterThan(mission.deadlineMs, Math.max(soonestMs, dueMs));
    }
    case 'starting':
      if (entered) return nowMs + timing.replyMs;
      if (event.type === 'replyOverdue') return nowMs + timing.observeEveryMs;
      return mission.nextActionAtMs ?? nowMs + timing.observeEveryMs;
    case 'executing':
    case 'paused': {
      // A look that shows rest puts no other one off.
      if (event.type === 'observedResting' || event.type === 'observedUnclear') return mission.nextActionAtMs ?? nowMs;
      const lookMs = lookAtFlightMs(mission, event, nowMs, timing);
      // A dock that never stops reporting must not put off the end of the longest flight.
      return Math.min(lookMs, Math.max(nowMs, flightEndsByMs(mission, timing)));
    }
    case 'canceling':
      // An operator who asks again must not put off the next undo.
      return entered || event.type === 'undoOverdue'
        ? nowMs + timing.observeEveryMs
        : (mission.nextActionAtMs ?? nowMs + timing.observeEveryMs);
    default:
      return null;
  }
}
