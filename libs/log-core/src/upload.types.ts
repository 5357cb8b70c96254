/** Whose logs: those of the station itself, or of the aircraft in it. */
export type LogModule = 'dock' | 'aircraft';
export const LOG_MODULES = ['dock', 'aircraft'] as const satisfies readonly LogModule[];

export const ACTIVE_STATES = [
  'requested',
  'listing',
  'listed',
  'starting',
  'pulling',
  'zipping',
  'uploading',
  'stopping',
  'verifying',
] as const;

/** States that are never left. */
export const OUTCOMES = ['stored', 'partly_stored', 'failed', 'canceled', 'timed_out'] as const;

export const STATES = [...ACTIVE_STATES, ...OUTCOMES] as const;

export type Outcome = (typeof OUTCOMES)[number];
export type UploadState = (typeof STATES)[number];

/** Why an upload ended, or why it waits. */
export type CauseCode =
  | 'dock_offline'
  | 'dock_flying'
  | 'dock_taken'
  | 'dock_busy'
  | 'mission_due'
  | 'yielded_to_mission'
  | 'list_no_reply'
  | 'list_refused'
  | 'nothing_found'
  | 'aircraft_off'
  | 'start_refused'
  | 'send_refused'
  | 'silent'
  | 'too_slow'
  | 'keys_expired'
  | 'reported_by_dock'
  | 'objects_missing'
  | 'objects_differ'
  | 'several_files'
  | 'storage_silent'
  | 'canceled_by_operator'
  | 'deadline_passed';

export interface Cause {
  readonly code: CauseCode;
  /** The dock's own result code where it gave one. */
  readonly dockResult?: number;
}

/** Which logs are wanted. Which boots a dock has is known only once it has listed them. */
export type Selection =
  | { readonly kind: 'files'; readonly files: readonly WantedBoot[] }
  /** What was logged at any time of this span. Instants are milliseconds since the epoch by the dock's clock. */
  | {
      readonly kind: 'window';
      readonly fromMs: number;
      readonly untilMs: number;
      readonly modules: readonly LogModule[];
    }
  /** The newest boots of each module. */
  | { readonly kind: 'latest'; readonly count: number; readonly modules: readonly LogModule[] };

export interface WantedBoot {
  readonly module: LogModule;
  readonly bootIndex: number;
}

/** How far one archive is: `wanted`: not in the storage. `stored`: seen there, as reported. `unavailable`: the dock has none. */
export type FileState = 'wanted' | 'stored' | 'unavailable';

/** The one archive that a dock makes of the logs of one module. */
export interface LogFile {
  readonly module: LogModule;
  readonly bootIndexes: readonly number[];
  /** Sum of the listed sizes, bytes; the archive may be smaller. */
  readonly expectedBytes: number;
  readonly state: FileState;
  /** Why the dock has none of it, or not all of it. */
  readonly problem: Cause | null;
  /** What the dock said of it in the present attempt. */
  readonly told: ToldFile | null;
}

/** What a dock says of one archive. */
export interface ToldFile {
  readonly module: LogModule;
  /** `going`: not ended. */
  readonly progress: 'going' | 'ok' | 'failed';
  /** Key of the object, where it is named. */
  readonly key: string | null;
  readonly sizeBytes: number | null;
  /** Hash of the archive, lower case hexadecimal; null while the dock has none. */
  readonly fingerprint: string | null;
  /** 0 to 100 of the present phase. */
  readonly percent: number | null;
  readonly dockResult: number | null;
  /** The dock made more than one file of this module: this is the first of them, and the others are not looked for. */
  readonly several?: true;
}

/** Why a dock is told to stop. `unexpected`: it has begun although it said that it would not. */
export type StopReason = 'operator' | 'mission' | 'deadline' | 'retry' | 'unexpected';

/** Whether an attempt that was stopped for this has not failed: its end was wanted, or it was not to begin at all. */
export const isNoFailure = (stopFor: StopReason | null): boolean => stopFor !== null && stopFor !== 'retry';

/** All that a decision needs to know of a log upload. Instants are milliseconds since the epoch by the database's clock. */
export interface LogUpload {
  readonly state: UploadState;
  /** Grows with every saved decision. */
  readonly revision: number;
  readonly selection: Selection;
  /** Empty until the dock has listed. */
  readonly files: readonly LogFile[];
  /** Lists asked for in a row without a usable answer. */
  readonly listCount: number;
  /** Number of the last start; each has a folder and keys of its own. 0 before the first. */
  readonly attempt: number;
  /** Attempts that ended without every file, and not because a mission came first. */
  readonly failures: number;
  /** How often in a row the dock could not be had. */
  readonly heldCount: number;
  /** From the start until the dock has said that it is over, or was told to stop long enough: it may refuse missions. */
  readonly dockMayExport: boolean;
  /**
   * A stop that was sent no later than this proves nothing, because the start may have reached the dock after it: the start may
   * leave until then, or the dock's first word of the attempt came then. Null: nothing was started.
   */
  readonly stopsCountFromMs: number | null;
  /** The dock has said that it does not begin with the present attempt. A dock that was told twice may have begun all the same. */
  readonly isRefused: boolean;
  /** Until when the dock is reserved. Null: it is not. */
  readonly dockUntilMs: number | null;
  /** A mission needs the dock from then on. */
  readonly yieldAtMs: number | null;
  readonly stopFor: StopReason | null;
  /** Stops sent in the present state. */
  readonly stopCount: number;
  /** When the keys of the present attempt end, where they were issued. */
  readonly keysEndAtMs: number | null;
  /** No attempt takes longer than until then. */
  readonly attemptEndsByMs: number | null;
  /** When the present state was entered. */
  readonly sinceMs: number;
  /** When the dock last said anything about the present attempt. */
  readonly heardAtMs: number | null;
  /** After this it is given up, whatever its state. */
  readonly deadlineMs: number;
  readonly nextActionAtMs: number | null;
  readonly cause: Cause | null;
}

/** What became of looking for one archive in the storage. */
export interface CheckedFile {
  readonly module: LogModule;
  readonly verdict: 'ok' | 'missing' | 'differs';
}

export type HoldReason = 'dock_offline' | 'dock_flying' | 'dock_taken' | 'mission_due';

/** What can happen to a log upload. */
export type UploadEvent =
  // The operator.
  | { readonly type: 'cancelRequested' }
  // Time.
  | { readonly type: 'listDue' }
  | { readonly type: 'listOverdue' }
  | { readonly type: 'listGivenUp' }
  | { readonly type: 'exportSilent' }
  | { readonly type: 'attemptOverdue' }
  | { readonly type: 'yieldDue' }
  | { readonly type: 'stopOverdue' }
  | { readonly type: 'stopGivenUp' }
  | { readonly type: 'checkDue' }
  | { readonly type: 'deadlinePassed' }
  // Who has the dock, as mission-service says.
  | { readonly type: 'dockGranted'; readonly untilMs: number }
  | { readonly type: 'dockHeld'; readonly because: HoldReason; readonly freeAtMs: number | null }
  | { readonly type: 'dockNeeded'; readonly atMs: number }
  // The ingress: proven that no byte of this list, or of this start, left.
  | { readonly type: 'listUnsent' }
  | { readonly type: 'sendRefused'; readonly attempt: number }
  // The dock.
  | { readonly type: 'listAnswered'; readonly files: readonly LogFile[] }
  | { readonly type: 'listRefused'; readonly dockResult: number }
  | { readonly type: 'listDeferred'; readonly dockResult: number }
  | { readonly type: 'startAccepted'; readonly attempt: number }
  | { readonly type: 'startRefused'; readonly attempt: number; readonly dockResult: number }
  | { readonly type: 'startDeferred'; readonly attempt: number; readonly dockResult: number }
  | {
      readonly type: 'exportTold';
      readonly attempt: number;
      /** Null: a word that nobody documents. */
      readonly phase: 'pulling' | 'zipping' | 'uploading' | null;
      readonly files: readonly ToldFile[];
    }
  | { readonly type: 'exportEnded'; readonly attempt: number; readonly files: readonly ToldFile[] }
  /** `sentAtMs`: when this stop was ordered. */
  | { readonly type: 'stopAccepted'; readonly attempt: number; readonly sentAtMs: number }
  | { readonly type: 'stopRefused'; readonly attempt: number; readonly dockResult: number }
  // The storage.
  | { readonly type: 'objectsChecked'; readonly attempt: number; readonly files: readonly CheckedFile[] }
  | { readonly type: 'checkFailed'; readonly attempt: number };

export type EventType = UploadEvent['type'];
export type EventOf<T extends EventType> = Extract<UploadEvent, { type: T }>;

/** An order to the edges. All that it needs is on the upload. */
export type Effect = 'sendList' | 'sendStart' | 'sendStop' | 'checkObjects' | 'releaseDock';

export type Decision =
  | { readonly kind: 'moved' | 'unchanged'; readonly upload: LogUpload; readonly effects: readonly Effect[] }
  | { readonly kind: 'refused'; readonly reason: string };

export const isOutcome = (state: UploadState): state is Outcome => (OUTCOMES as readonly string[]).includes(state);
