import { evolve } from './mission.evolve.js';
import { isApproved, isTooLateToApprove } from './mission.approval.js';
import { isAcceptedByDock, isSeenOver, leadMs } from './mission.timing.js';
import {
  ATTEMPTS_OF_FORGETFUL_DOCK,
  CLAIM_MARGIN_MS,
  type Decision,
  type Effect,
  type EventOf,
  type EventType,
  type Mission,
  type MissionEvent,
  type MissionState,
  OUTCOMES,
  type Timing,
} from './mission.types.js';

/** Where a row leads when that depends on the mission or the event; `oneOf` is for the printed matrix. */
interface Choice<T extends EventType> {
  readonly oneOf: readonly MissionState[];
  readonly pick: (mission: Mission, event: EventOf<T>) => MissionState;
}

/** The same where the event says nothing about it. */
interface ChoiceByMission {
  readonly oneOf: readonly MissionState[];
  readonly pick: (mission: Mission) => MissionState;
}

export interface Row<T extends EventType> {
  readonly from: readonly MissionState[];
  readonly to: MissionState | 'unchanged' | Choice<T>;
  readonly effects?: readonly Effect[];
}

const afterPrepare: Choice<'prepareAccepted'> = {
  oneOf: ['prepared', 'waiting_ready'],
  pick: (mission) => (mission.kind === 'conditional' ? 'waiting_ready' : 'prepared'),
};
/** A dock that is given flights in one command has nothing to prepare. */
const toTheDock: Choice<'prepareDue'> = {
  oneOf: ['preparing', 'prepared'],
  pick: ({ delivery }) => (delivery === 'create' ? 'prepared' : 'preparing'),
};
const takenBack: ChoiceByMission = {
  oneOf: ['canceling', 'canceled'],
  pick: ({ delivery }) => (delivery === 'create' ? 'canceled' : 'canceling'),
};
/** An approval is for one plan: a changed one needs another. */
const planChanged: ChoiceByMission = {
  oneOf: ['scheduled', 'awaiting_approval'],
  pick: ({ approval }) => (approval === null ? 'scheduled' : 'awaiting_approval'),
};
const toldAgain: Choice<'executeUnprepared'> = {
  oneOf: ['preparing', 'rejected', 'canceled'],
  pick: (mission) => {
    if (isStopped(mission)) return 'canceled';
    const { attempt, delivery } = mission;
    if (delivery === 'create' || !isApproved(mission)) return 'rejected';
    return attempt >= ATTEMPTS_OF_FORGETFUL_DOCK ? 'rejected' : 'preparing';
  },
};
/** A person who asked for a stop meanwhile wants no other start. */
const unlessStopped: ChoiceByMission = {
  oneOf: ['prepared', 'canceling', 'canceled'],
  pick: (mission) => (isStopped(mission) ? takenBack.pick(mission) : 'prepared'),
};
/** A person asked to end the flight while it starts, and the dock has not said since that it starts. */
const isStopped = ({ state, cause }: Mission): boolean =>
  state === 'starting' && cause?.code === 'canceled_by_operator';
const asReported: Choice<'flightEnded'> = {
  oneOf: ['succeeded', 'partially_done', 'failed', 'rejected', 'canceled', 'timed_out'],
  pick: (_mission, event) => event.outcome,
};
/** Every outcome but the one that a later word of the dock still resolves. */
const SETTLED = OUTCOMES.filter((state) => state !== 'outcome_unknown');

/**
 * The life of a mission. On this event, in a `from` state, go to `to` and do `effects`. `unchanged` is something that
 * is expected there: docks repeat, and their messages overtake each other. A pair with no row is refused.
 *
 * The dock's word wins over our wish: a flight that is seen is a flight, whatever we had asked for. Silence never
 * means failure once execute may have left.
 */
// prettier-ignore
export const transitions: { readonly [T in EventType]: readonly Row<T>[] } = {
  cancelRequested:    [{ from: ['awaiting_approval', 'scheduled'],                 to: 'canceled' },
                       { from: ['preparing', 'waiting_ready', 'prepared'],         to: takenBack,   effects: ['sendUndo'] },
                       { from: ['canceling', 'canceled'],                          to: 'unchanged' }],
  rescheduled:        [{ from: ['awaiting_approval'],                              to: 'unchanged' },
                       { from: ['scheduled'],                                      to: planChanged },
                       { from: ['preparing', 'prepared'],                          to: planChanged, effects: ['sendUndo'] }],
  // The only way out of `awaiting_approval` to a state that a prepare leaves from.
  approvalGiven:      [{ from: ['awaiting_approval'],                              to: 'scheduled' }],
  approvalRefused:    [{ from: ['awaiting_approval'],                              to: 'canceled' }],
  approvalMissing:    [{ from: ['awaiting_approval'],                              to: 'missed' }],
  // But for a stop, none of these names a flight on the wire: they are for the only one on its dock.
  pauseRequested:     [{ from: ['executing'],                                      to: 'unchanged', effects: ['sendPause'] }],
  resumeRequested:    [{ from: ['paused'],                                         to: 'unchanged', effects: ['sendResume'] }],
  returnRequested:    [{ from: ['starting', 'executing', 'paused'],                to: 'unchanged', effects: ['sendReturnHome'] }],
  returnCancelRequested: [{ from: ['executing', 'paused'],                         to: 'unchanged', effects: ['sendReturnCancel'] }],
  returnElsewhereRequested: [{ from: ['executing', 'paused'],                      to: 'unchanged', effects: ['sendReturnElsewhere'] }],
  stopRequested:      [{ from: ['starting', 'executing', 'paused'],                to: 'unchanged', effects: ['sendStop'] }],
  setupAbortRequested: [{ from: ['starting', 'executing'],                         to: 'unchanged', effects: ['sendSetupAbort'] }],

  prepareDue:         [{ from: ['scheduled'],                                      to: toTheDock,   effects: ['sendPrepare'] }],
  prepareOverdue:     [{ from: ['preparing'],                                      to: 'unchanged', effects: ['sendPrepare'] }],
  prepareUnsent:      [{ from: ['preparing'],                                      to: 'unchanged' }],
  prepareGivenUp:     [{ from: ['preparing'],                                      to: 'missed',    effects: ['sendUndo'] }],
  windowClosed:       [{ from: ['scheduled'],                                      to: 'missed' },
                       { from: ['preparing', 'waiting_ready', 'prepared'],         to: 'missed',    effects: ['sendUndo'] }],
  executeDue:         [{ from: ['prepared'],                                       to: 'starting',  effects: ['sendExecute'] }],
  executeHeld:        [{ from: ['prepared'],                                       to: 'unchanged' }],
  // After execute the aircraft may be in the air: look, never repeat.
  replyOverdue:       [{ from: ['starting'],                                       to: 'unchanged', effects: ['observeFlight'] }],
  progressSilent:     [{ from: ['executing', 'paused'],                            to: 'unchanged', effects: ['observeFlight'] }],
  progressHeard:      [{ from: ['executing', 'paused'],                            to: 'unchanged' }],
  undoOverdue:        [{ from: ['canceling'],                                      to: 'unchanged', effects: ['sendUndo'] }],
  // Execute never left, so nothing can fly, even though the dock has not confirmed that it forgot the task.
  cancelGivenUp:      [{ from: ['canceling'],                                      to: 'canceled' }],
  observationGivenUp: [{ from: ['starting', 'executing', 'paused'],                to: 'outcome_unknown' }],

  // The database is older than the world: an execute that it does not know of may have left. None is sent again, and a
  // reply to an attempt that it does know opens no new one.
  restored:           [{ from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared'], to: 'outcome_unknown', effects: ['sendUndo'] },
                       { from: ['starting'],                                       to: 'unchanged' }],

  // Proven that no byte left, or the dock said that it did not start: the only ways to a new attempt.
  sendRefused:        [{ from: ['starting'],                                       to: unlessStopped, effects: ['sendUndo'] }],
  startWithdrawn:     [{ from: ['starting'],                                       to: takenBack,   effects: ['sendUndo'] }],
  executeDeferred:    [{ from: ['starting'],                                       to: unlessStopped, effects: ['sendUndo'] },
                       { from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],

  // The dock does not know the flight: it has rebooted since prepare. It cannot be flying it.
  executeUnprepared:  [{ from: ['starting'],                                       to: toldAgain,   effects: ['sendPrepare'] },
                       { from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],

  prepareAccepted:    [{ from: ['preparing'],                                      to: afterPrepare },
                       { from: ['waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],
  prepareRefused:     [{ from: ['preparing'],                                      to: 'rejected' },
                       { from: ['waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],
  prepareDeferred:    [{ from: ['preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],
  flightReady:        [{ from: ['preparing', 'waiting_ready'],                     to: 'prepared' },
                       { from: ['awaiting_approval', 'scheduled', 'prepared', 'starting', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],
  // An accepted execute outside `starting`: there must not be a second one, so go where none is sent.
  executeAccepted:    [{ from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'canceling'], to: 'starting' },
                       { from: ['starting', 'executing', 'paused', ...OUTCOMES],   to: 'unchanged' }],
  executeRefused:     [{ from: ['starting'],                                       to: 'rejected' },
                       { from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],
  undoAccepted:       [{ from: ['canceling'],                                      to: 'canceled' },
                       { from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', ...OUTCOMES], to: 'unchanged' }],
  // A dock that cannot forget a task may be flying it, whatever we believe: look.
  undoRefused:        [{ from: ['canceling'],                                      to: 'unchanged', effects: ['observeFlight'] },
                       { from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', ...OUTCOMES], to: 'unchanged' }],

  flightSent:         [{ from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling', ...OUTCOMES], to: 'unchanged' }],
  flightInProgress:   [{ from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'paused', 'canceling'], to: 'executing' },
                       { from: ['executing', ...SETTLED],                          to: 'unchanged' },
                       { from: ['outcome_unknown'],                                to: 'unchanged', effects: ['contradictEnd'] }],
  flightPaused:       [{ from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'canceling'], to: 'paused' },
                       { from: ['paused', ...SETTLED],                             to: 'unchanged' },
                       { from: ['outcome_unknown'],                                to: 'unchanged', effects: ['contradictEnd'] }],
  flightEnded:        [{ from: ['awaiting_approval', 'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling'], to: asReported },
                       { from: SETTLED,                                            to: 'unchanged' },
                       { from: ['outcome_unknown'],                                to: 'unchanged', effects: ['recordResolution'] }],

  observedFlying:     [{ from: ['starting', 'canceling'],                          to: 'executing' },
                       { from: ['executing', 'paused', ...SETTLED],                to: 'unchanged' },
                       { from: ['outcome_unknown'],                                to: 'unchanged', effects: ['contradictEnd'] }],
  observedResting:    [{ from: ['executing', 'paused'],                            to: 'unchanged' }],
  observedUnclear:    [{ from: ['executing', 'paused'],                            to: 'unchanged' }],
  // Seen at home for long enough, and all that its dock had said is read: the flight is over, and nobody told how.
  observedOver:       [{ from: ['executing', 'paused'],                            to: 'outcome_unknown' }],
  observedNotStarted: [{ from: ['starting'],                                       to: 'missed',    effects: ['sendUndo'] }],
};

export const EVENT_TYPES = Object.keys(transitions) as EventType[];

/** Events that speak of one execute attempt; about another attempt they are only evidence. */
function isAboutOtherAttempt(mission: Mission, event: MissionEvent): boolean {
  return 'attempt' in event && mission.state === 'starting' && event.attempt !== mission.attempt;
}

/** Answers to the prepare of a plan that was changed since. */
function isAboutOtherEdition({ edition }: Mission, event: MissionEvent): boolean {
  return 'edition' in event && event.edition !== edition;
}

function isPastItsWindow({ readyUntilMs }: Mission, nowMs: number): boolean {
  return readyUntilMs !== null && nowMs >= readyUntilMs;
}

/** What tells a dock of a flight, or starts it. The states of the table hold it back; this holds for any mission. */
const NEEDS_APPROVAL: ReadonlySet<EventType> = new Set(['prepareDue', 'prepareOverdue', 'executeDue']);

/** What an event means for a mission. Never throws, reads no clock, changes nothing that it was given. */
export function decide(mission: Mission, event: MissionEvent, nowMs: number, timing: Timing): Decision {
  const rows = transitions[event.type] as readonly Row<EventType>[];
  const row = rows.find(({ from }) => from.includes(mission.state));
  if (!row) return { kind: 'refused', reason: `${event.type} is not possible while ${mission.state}` };
  if (isAboutOtherAttempt(mission, event)) return { kind: 'refused', reason: `${event.type} is about another attempt` };
  if (isAboutOtherEdition(mission, event)) return { kind: 'refused', reason: `${event.type} is about an earlier plan` };
  if ('attempt' in event && isAcceptedByDock(mission)) {
    return { kind: 'refused', reason: `${event.type} contradicts the dock, which accepted this execute` };
  }
  if (NEEDS_APPROVAL.has(event.type) && !isApproved(mission)) {
    return { kind: 'refused', reason: 'nobody has approved this plan' };
  }
  if (event.type === 'approvalGiven' && isTooLateToApprove(mission, nowMs)) {
    return { kind: 'refused', reason: 'the approval comes too late' };
  }
  if (event.type === 'executeDue' && !mayExecute(mission, nowMs, timing)) {
    return { kind: 'refused', reason: 'execute is too early or too late' };
  }
  if (event.type === 'observedOver' && !isSeenOver(mission, event.inSightSinceMs, nowMs, timing)) {
    return { kind: 'refused', reason: 'the dock was not seen at rest for long enough' };
  }
  if (event.type === 'restored' && !mayHaveStarted(mission, event.stoppedAtMs, timing)) {
    return { kind: 'refused', reason: 'its start was not due before the stop' };
  }
  if (event.type === 'flightReady' && row.to !== 'unchanged' && isPastItsWindow(mission, nowMs)) {
    return { kind: 'refused', reason: 'the dock is ready too late' };
  }

  const { to } = row;
  const state = to === 'unchanged' ? mission.state : typeof to === 'string' ? to : to.pick(mission, event);
  const next = evolve(mission, state, event, nowMs, timing);
  const effects = (row.effects ?? []).filter((effect) => makesSense(effect, next, event, nowMs));
  return { kind: state === mission.state ? 'unchanged' : 'moved', mission: next, effects };
}

/**
 * A dock is told again so soon after a change of the plan that the new prepare replaces the old one by itself. An undo
 * could then overtake it, and the dock would forget the new plan. Undos are repeated for less than two minutes.
 */
const REPLACED_BY_PREPARE_MS = 3 * 60_000;

function makesSense(effect: Effect, next: Mission, event: MissionEvent, nowMs: number): boolean {
  // A dock that gets a mission too late could only fly it late.
  if (effect === 'sendPrepare')
    return next.state === 'preparing' && (next.deadlineMs === null || nowMs < next.deadlineMs);
  if (effect !== 'sendUndo') return true;
  // A mission that goes on keeps its dock's task.
  if (next.delivery === 'create' || next.state === 'prepared') return false;
  // Nobody knows when, or whether, a plan that awaits approval is told to the dock.
  if (event.type !== 'rescheduled' || next.state === 'awaiting_approval') return true;
  return next.prepareAtMs - nowMs > REPLACED_BY_PREPARE_MS;
}

/** The last pure word on take-off: inside the window, with the time it takes to reach the wire. */
export function mayExecute(mission: Mission, nowMs: number, timing: Timing): boolean {
  if (!isApproved(mission)) return false;
  if (mission.deadlineMs === null || nowMs >= mission.deadlineMs - CLAIM_MARGIN_MS) return false;
  if (mission.readyFromMs !== null && nowMs <= mission.readyFromMs) return false;
  return mission.executeAtMs === null || nowMs >= mission.executeAtMs - leadMs(mission, timing);
}

/** Whether an execute may have left until an instant, by the plan; null: whatever the plan says. */
export function mayHaveStarted(mission: Mission, untilMs: number | null, timing: Timing): boolean {
  if (untilMs === null || mission.state === 'starting') return true;
  if (mission.kind === 'conditional') return mission.readyFromMs === null || mission.readyFromMs <= untilMs;
  return mission.executeAtMs === null || mission.executeAtMs - leadMs(mission, timing) <= untilMs;
}

/**
 * Whether an event of a dock tells nothing but that a flight goes on as it did. Its decision would change `heardAtMs`,
 * what follows from that, and nothing else; so that instant may be kept beside the mission, without a decision.
 */
export function goesOnAsBefore(mission: Mission, event: MissionEvent): boolean {
  if (mission.state !== 'executing' || event.type !== 'flightInProgress') return false;
  if (mission.cause !== null || mission.restingSinceMs !== null || mission.startedAtMs === null) return false;
  return mission.flownAtMs !== null || event.airborne !== true;
}
