/**
 * How a dock is given a flight. `prepare`: with one command, and started with another. `create`: both in one, as docks
 * older than protocol 1.3.0 know it; such a dock holds nothing before the start, so there is nothing to undo.
 */
export type Delivery = 'prepare' | 'create';

/** When a mission starts: as soon as the dock has it, at an instant, or when the dock says that its conditions hold. */
export type MissionKind = 'immediate' | 'timed' | 'conditional';

export const ACTIVE_STATES = [
  'awaiting_approval',
  'scheduled',
  'preparing',
  'waiting_ready',
  'prepared',
  'starting',
  'executing',
  'paused',
  'canceling',
] as const;

/** States that are never left. */
export const OUTCOMES = [
  'succeeded',
  'partially_done',
  'failed',
  'rejected',
  'canceled',
  'timed_out',
  'missed',
  'outcome_unknown',
] as const;

export const STATES = [...ACTIVE_STATES, ...OUTCOMES] as const;

export type Outcome = (typeof OUTCOMES)[number];
export type MissionState = (typeof STATES)[number];

/** Outcomes that a dock itself can report. */
export type ReportedOutcome = Exclude<Outcome, 'missed' | 'outcome_unknown'>;

/** Why a mission ended, or why it waits. */
export type CauseCode =
  | 'prepare_no_reply'
  | 'prepare_refused'
  | 'execute_refused'
  | 'never_ready'
  | 'window_closed'
  | 'start_deadline_passed'
  | 'dock_offline'
  | 'dock_busy'
  | 'dock_cut_off'
  | 'dock_fault'
  | 'dock_retired'
  | 'dock_unknown_state'
  | 'send_refused'
  | 'preflight_no_go'
  | 'dock_forgot_task'
  | 'file_unavailable'
  | 'not_started'
  | 'not_observed'
  | 'seen_over'
  | 'canceled_by_operator'
  | 'undo_unconfirmed'
  | 'restored'
  | 'approval_missing'
  | 'approval_refused'
  | 'reported_by_dock';

/** Why nothing left: the broker said that the dock is not there, or anything else that is proven. */
export type UnsentCause = 'dock_offline' | 'send_refused';

export interface Cause {
  readonly code: CauseCode;
  /** The dock's own result code where it gave one; 0 is success. */
  readonly dockResult?: number;
}

/** What is known against a dock as it is told of a mission. It is told all the same. */
export interface DockAtPrepare {
  readonly dockIsAway?: boolean;
  readonly dockIsCutOff?: boolean;
  readonly dockIsRetired?: boolean;
}

/** What a mission that needs the approval of another person knows of it. An approval is for one edition of the plan. */
export interface Approval {
  /** How long a request for approval may wait; null: until the mission can start no more. */
  readonly lifetimeMs: number | null;
  /** Without an approval the mission ends at this instant. */
  readonly untilMs: number;
  /** The edition that was approved; null: none. */
  readonly givenEdition: number | null;
}

/** All that a decision needs to know of a mission. Instants are milliseconds since the epoch by the database's clock. */
export interface Mission {
  readonly kind: MissionKind;
  readonly delivery: Delivery;
  readonly state: MissionState;
  /** Grows with every saved decision; a wake that was set for an older one is dropped. */
  readonly revision: number;
  /** Grows with every change of the plan; what a dock answers to a prepare of an older plan is only evidence. */
  readonly edition: number;
  /** When the flight is to start. Null for other than timed missions. */
  readonly executeAtMs: number | null;
  /** When the dock is first told. */
  readonly prepareAtMs: number;
  /**
   * No execute and no prepare leaves at or after this. Set when the mission is planned; no event moves it later, except
   * a person's new time for a timed mission. Null only for conditional missions without a window.
   */
  readonly deadlineMs: number | null;
  /** Conditional missions: the dock may start only after this. */
  readonly readyFromMs: number | null;
  /** Conditional missions: after this the dock's word that it is ready comes too late. */
  readonly readyUntilMs: number | null;
  /** How long the wayline takes by its own plan. */
  readonly plannedDurationMs: number;
  /** Prepares sent so far. */
  readonly prepareCount: number;
  /** Number of the execute attempt; 0 before the first claim. */
  readonly attempt: number;
  /** Undos sent so far. */
  readonly undoCount: number;
  /** When the present state was entered. */
  readonly sinceMs: number;
  /** When execute was claimed; null before. */
  readonly startedAtMs: number | null;
  /** How long the flight was paused before the present state. */
  readonly pausedMs: number;
  /** When the dock last said anything about this flight; while it starts: anything about the start. */
  readonly heardAtMs: number | null;
  /** When the flight of this attempt was first seen in the air; null while it was not. */
  readonly flownAtMs: number | null;
  /** Since when each look at its dock showed it at rest; null when the last one did not, or the dock has spoken since. */
  readonly restingSinceMs: number | null;
  readonly nextActionAtMs: number | null;
  readonly cause: Cause | null;
  /** Null: it needs no approval. */
  readonly approval: Approval | null;
}

/** Numbers that an operator may set. All in milliseconds. */
export interface Timing {
  /** A timed mission is prepared this long before its time; the protocol allows 24 h at most. */
  readonly prepareLeadMs: number;
  /** Execute goes out this long before `executeAt`: the dock powers on meanwhile. The protocol says 2 min. */
  readonly executeLeadMs: number;
  /** How long after its time (or after an accepted prepare) a mission may still start. */
  readonly startWindowMs: number;
  /** An immediate mission starts within this time after it was planned, or not at all. At most 5 min. */
  readonly startWithinMs: number;
  /** How long an immediate prepare waits for its reply. Short: a dock refuses an `execute_time` 30 s off. */
  readonly immediateReplyMs: number;
  /** How long any other command waits for its reply. */
  readonly replyMs: number;
  /** Between two looks at a dock that is silent. */
  readonly observeEveryMs: number;
  /** An executing flight that says nothing for this long is looked at. Docks report every 2 s. */
  readonly silenceMs: number;
  /** After the deadline, how long a dock that was told to start may take to show that it did. */
  readonly startGraceMs: number;
  /** What a dock needs from the command to the first sign of a take-off: power on, cover, self-check. */
  readonly powerOnMs: number;
  /** A silent flight is over once each look for this long showed its dock at rest with the aircraft inside. */
  readonly restingForMs: number;
  /** After this long without a word or a look, the outcome is called unknown. */
  readonly unobservedMs: number;
  /** A flight that takes longer than one and a half times its plan and this, without its pauses, is called unknown. */
  readonly durationSlackMs: number;
  /** No flight takes longer than this, whatever its plan and its pauses. */
  readonly maxDurationMs: number;
}

export const DEFAULT_TIMING: Timing = {
  prepareLeadMs: 15 * 60_000,
  executeLeadMs: 2 * 60_000,
  startWindowMs: 20_000,
  startWithinMs: 60_000,
  immediateReplyMs: 10_000,
  replyMs: 30_000,
  observeEveryMs: 10_000,
  silenceMs: 60_000,
  startGraceMs: 30_000,
  powerOnMs: 2 * 60_000,
  restingForMs: 60_000,
  unobservedMs: 10 * 60_000,
  durationSlackMs: 10 * 60_000,
  // Docks fly well under an hour; the longest flight with its landing and after-work stays below this.
  maxDurationMs: 3 * 60 * 60_000,
};

/** An immediate mission is prepared at most this often: once and twice more. */
export const IMMEDIATE_PREPARES = 3;

/** A dock that forgets its task each time is given it this often; then something is wrong with the dock. */
export const ATTEMPTS_OF_FORGETFUL_DOCK = 5;

/** A claim this close to the deadline would reach the wire too late. */
export const CLAIM_MARGIN_MS = 1_500;

/** What can happen to a mission. Facts of the dock are in the past tense or the present; timers end in Due or Overdue. */
export type MissionEvent =
  // The operator.
  | { readonly type: 'cancelRequested' }
  | {
      readonly type: 'rescheduled';
      readonly executeAtMs: number;
      readonly prepareAtMs: number;
      readonly deadlineMs: number;
    }
  /** Another person than the one who planned it; the service makes sure of that. */
  | { readonly type: 'approvalGiven' }
  | { readonly type: 'approvalRefused' }
  | { readonly type: 'pauseRequested' }
  | { readonly type: 'resumeRequested' }
  | { readonly type: 'returnRequested' }
  | { readonly type: 'returnCancelRequested' }
  | { readonly type: 'returnElsewhereRequested' }
  | { readonly type: 'stopRequested' }
  | { readonly type: 'setupAbortRequested' }
  // Time.
  | { readonly type: 'approvalMissing' }
  | ({ readonly type: 'prepareDue' } & DockAtPrepare)
  | ({ readonly type: 'prepareOverdue' } & DockAtPrepare)
  | { readonly type: 'prepareGivenUp'; readonly dockIsRetired?: boolean }
  | { readonly type: 'windowClosed'; readonly dockIsRetired?: boolean }
  | { readonly type: 'executeDue' }
  | { readonly type: 'executeHeld'; readonly because: CauseCode }
  | { readonly type: 'replyOverdue' }
  | { readonly type: 'progressSilent' }
  /** A flight was due to be looked at, and has reported meanwhile. */
  | { readonly type: 'progressHeard' }
  | { readonly type: 'undoOverdue' }
  | { readonly type: 'cancelGivenUp' }
  | { readonly type: 'observationGivenUp' }
  /**
   * The database was restored, and does not know what was sent since its backup. Commands may have left until
   * `stoppedAtMs`; null: a start may have left whatever the plan says, since plans may have been changed too.
   */
  | { readonly type: 'restored'; readonly stoppedAtMs: number | null }
  // The ingress, on what became of a command: proven that it did not leave, or that nobody was there to get it.
  | { readonly type: 'sendRefused'; readonly attempt: number; readonly because?: UnsentCause }
  /** A person stopped a start that had not been handed to the ingress: nothing of it leaves any more. */
  | { readonly type: 'startWithdrawn'; readonly attempt: number }
  | { readonly type: 'prepareUnsent'; readonly edition: number; readonly because: UnsentCause }
  // The dock.
  | { readonly type: 'prepareAccepted'; readonly edition: number }
  | { readonly type: 'prepareRefused'; readonly edition: number; readonly dockResult: number }
  | { readonly type: 'prepareDeferred'; readonly edition: number; readonly dockResult: number }
  | { readonly type: 'flightReady' }
  | { readonly type: 'executeAccepted' }
  | { readonly type: 'executeRefused'; readonly attempt: number; readonly dockResult: number }
  | { readonly type: 'executeDeferred'; readonly attempt: number; readonly dockResult: number }
  | { readonly type: 'executeUnprepared'; readonly attempt: number; readonly dockResult: number }
  | { readonly type: 'undoAccepted' }
  | { readonly type: 'undoRefused'; readonly dockResult: number }
  | { readonly type: 'flightSent' }
  | { readonly type: 'flightInProgress'; readonly airborne?: boolean }
  | { readonly type: 'flightPaused' }
  | { readonly type: 'flightEnded'; readonly outcome: ReportedOutcome; readonly dockResult: number }
  // What we saw when we looked at the dock.
  | { readonly type: 'observedFlying' }
  | { readonly type: 'observedNotStarted' }
  | { readonly type: 'observedResting'; readonly inSightSinceMs: number }
  | { readonly type: 'observedUnclear' }
  | { readonly type: 'observedOver'; readonly inSightSinceMs: number };

export type EventType = MissionEvent['type'];
export type EventOf<T extends EventType> = Extract<MissionEvent, { type: T }>;

/** An order to the edges. Its name is enough, because all that it needs is on the mission. */
export type OrderEffect =
  | 'sendPrepare'
  | 'sendExecute'
  | 'sendUndo'
  | 'sendPause'
  | 'sendResume'
  | 'sendReturnHome'
  | 'sendReturnCancel'
  | 'sendReturnElsewhere'
  | 'sendStop'
  | 'sendSetupAbort'
  | 'observeFlight';

/** What is written beside a mission that has ended: how its unknown outcome was settled, or that its dock denies the end. */
export type LateEffect = 'recordResolution' | 'contradictEnd';

export type Effect = OrderEffect | LateEffect;

export const isOrder = (effect: Effect): effect is OrderEffect =>
  effect !== 'recordResolution' && effect !== 'contradictEnd';

export type Decision =
  | { readonly kind: 'moved' | 'unchanged'; readonly mission: Mission; readonly effects: readonly Effect[] }
  | { readonly kind: 'refused'; readonly reason: string };

export const isOutcome = (state: MissionState): state is Outcome => (OUTCOMES as readonly string[]).includes(state);
