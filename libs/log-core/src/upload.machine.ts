import { evolve } from './upload.evolve.js';
import { endOf, hasWanted, withVerdicts } from './upload.files.js';
import { ATTEMPT_LIMIT, TRIES, type Timing } from './upload.timing.js';
import {
  type Decision,
  type Effect,
  type EventOf,
  type EventType,
  type LogUpload,
  OUTCOMES,
  type UploadEvent,
  type UploadState,
  isNoFailure,
} from './upload.types.js';

/** Where a row leads when that depends on the upload or the event; `oneOf` is for the printed matrix. */
interface Choice<T extends EventType> {
  readonly oneOf: readonly UploadState[];
  readonly pick: (upload: LogUpload, event: EventOf<T>) => UploadState;
}

export interface Row<T extends EventType> {
  readonly from: readonly UploadState[];
  readonly to: UploadState | 'unchanged' | Choice<T>;
  readonly effects?: readonly Effect[];
}

const afterList: Choice<'listAnswered'> = {
  oneOf: ['listed', 'failed'],
  pick: (_upload, { files }) => (hasWanted(files) ? 'listed' : 'failed'),
};
const listAgain: Choice<'listRefused'> = {
  oneOf: ['requested', 'failed'],
  pick: ({ listCount }) => (listCount < TRIES ? 'requested' : 'failed'),
};
const startAgain: Choice<'startRefused'> = {
  oneOf: ['listed', 'partly_stored', 'failed'],
  pick: ({ failures, attempt, files }) => (failures + 1 < TRIES && attempt < ATTEMPT_LIMIT ? 'listed' : endOf(files)),
};
/** The dock was not had, and that is no failure of it; only the folders of attempts run out. */
const later = ({ attempt, files }: LogUpload): UploadState => (attempt < ATTEMPT_LIMIT ? 'listed' : endOf(files));
const startLater: Choice<'startDeferred'> = { oneOf: ['listed', 'partly_stored', 'failed'], pick: later };
const sendLater: Choice<'sendRefused'> = { oneOf: ['listed', 'partly_stored', 'failed'], pick: later };

/** Phases overtake each other on the way; an export never goes back in them. */
const PHASES: readonly UploadState[] = ['starting', 'pulling', 'zipping', 'uploading'];
const asTold: Choice<'exportTold'> = {
  oneOf: ['pulling', 'zipping', 'uploading'],
  pick: ({ state }, { phase }) =>
    PHASES[Math.max(PHASES.indexOf(state), PHASES.indexOf(phase ?? 'pulling'))] ?? 'pulling',
};
/** It was silent and looked at, and speaks again: it goes on. */
const goesOn: Choice<'exportTold'> = {
  oneOf: ['pulling', 'zipping', 'uploading', 'verifying'],
  pick: (upload, event) => (upload.dockMayExport ? asTold.pick(upload, event) : 'verifying'),
};
const overtaken: Choice<'deadlinePassed'> = {
  oneOf: ['stopping', 'timed_out'],
  pick: ({ dockMayExport }) => (dockMayExport ? 'stopping' : 'timed_out'),
};
/** A dock that may still export is told; what it has put into the storage by itself is looked at all the same. */
const calledOff: Choice<'cancelRequested'> = {
  oneOf: ['stopping', 'verifying'],
  pick: ({ dockMayExport }) => (dockMayExport ? 'stopping' : 'verifying'),
};
/** Its start may have arrived after a stop that found nothing to stop: the next one is answered by what came of it. */
const stopSettles: Choice<'stopAccepted'> = {
  oneOf: ['stopping', 'verifying'],
  pick: ({ stopsCountFromMs }, { sentAtMs }) =>
    sentAtMs <= (stopsCountFromMs ?? -Infinity) ? 'stopping' : 'verifying',
};
const asFound: Choice<'objectsChecked'> = {
  oneOf: ['stored', 'partly_stored', 'failed', 'canceled', 'timed_out', 'listed', 'stopping'],
  pick(upload, event) {
    const files = withVerdicts(upload.files, event);
    // The first end wins: what was complete before the dock heard of the stop is complete.
    if (!hasWanted(files)) return endOf(files);
    if (upload.dockMayExport) return 'stopping';
    if (upload.stopFor === 'operator') return 'canceled';
    if (upload.stopFor === 'deadline') return 'timed_out';
    const failures = upload.failures + (isNoFailure(upload.stopFor) ? 0 : 1);
    return failures < TRIES && upload.attempt < ATTEMPT_LIMIT ? 'listed' : endOf(files);
  },
};

const EXPORTING = ['starting', 'pulling', 'zipping', 'uploading'] as const;
const WAITING = ['requested', 'listing', 'listed'] as const;
const NOT_LISTING = ['requested', 'listed', ...EXPORTING, 'stopping', 'verifying', ...OUTCOMES] as const;

/**
 * The life of a log upload. On this event, in a `from` state, go to `to` and do `effects`. `unchanged` is something that
 * is expected there: docks repeat, and their messages overtake each other. A pair with no row is refused.
 *
 * Nothing is stored on the dock's word: every end goes through `verifying`. A dock is told to stop, and believed to
 * export until it says otherwise, before anybody else may have it.
 */
// prettier-ignore
export const transitions: { readonly [T in EventType]: readonly Row<T>[] } = {
  cancelRequested: [{ from: WAITING,                               to: 'canceled' },
                    { from: EXPORTING,                             to: 'stopping',  effects: ['sendStop'] },
                    { from: ['verifying'],                         to: calledOff,   effects: ['sendStop'] },
                    { from: ['stopping', 'canceled'],              to: 'unchanged' }],

  listDue:         [{ from: ['requested'],                         to: 'listing',   effects: ['sendList'] }],
  listOverdue:     [{ from: ['listing'],                           to: 'unchanged', effects: ['sendList'] }],
  listGivenUp:     [{ from: ['listing'],                           to: 'failed' }],
  listAnswered:    [{ from: ['listing'],                           to: afterList },
                    { from: NOT_LISTING, to: 'unchanged' }],
  listRefused:     [{ from: ['listing'],                           to: listAgain },
                    { from: NOT_LISTING, to: 'unchanged' }],
  listDeferred:    [{ from: ['listing'],                           to: 'requested' },
                    { from: NOT_LISTING, to: 'unchanged' }],

  // It never left: the dock has not failed to answer.
  listUnsent:      [{ from: ['listing'],                           to: 'requested' },
                    { from: NOT_LISTING, to: 'unchanged' }],

  dockHeld:        [{ from: ['requested', 'listed'],               to: 'unchanged' }],
  dockGranted:     [{ from: ['listed'],                            to: 'starting',  effects: ['sendStart'] },
                    { from: [...EXPORTING, 'stopping', 'verifying'], to: 'unchanged' }],
  dockNeeded:      [{ from: [...EXPORTING, 'verifying'],           to: 'unchanged' },
                    { from: [...WAITING, 'stopping', ...OUTCOMES], to: 'unchanged' }],
  yieldDue:        [{ from: EXPORTING,                             to: 'stopping',  effects: ['sendStop'] },
                    { from: ['verifying'],                         to: 'stopping',  effects: ['sendStop'] }],

  startAccepted:   [{ from: ['starting'],                          to: 'pulling' },
                    // It was told twice, and has begun: its yes is late, or lost, and its second answer was that it is busy.
                    { from: ['listed'],                            to: 'stopping',  effects: ['sendStop'] },
                    { from: ['pulling', 'zipping', 'uploading', 'stopping', 'verifying', ...OUTCOMES], to: 'unchanged' }],
  startRefused:    [{ from: ['starting'],                          to: startAgain },
                    { from: ['stopping'],                          to: 'verifying', effects: ['checkObjects'] },
                    { from: ['verifying', ...OUTCOMES],            to: 'unchanged' }],
  startDeferred:   [{ from: ['starting'],                          to: startLater },
                    // It may be busy with this very export, of which it was told twice: its answer to the stop decides.
                    { from: ['stopping', 'verifying', ...OUTCOMES], to: 'unchanged' }],
  sendRefused:     [{ from: ['starting'],                          to: sendLater },
                    { from: ['stopping'],                          to: 'verifying', effects: ['checkObjects'] }],

  exportTold:      [{ from: EXPORTING,                             to: asTold },
                    { from: ['verifying'],                         to: goesOn },
                    { from: ['listed'],                            to: 'stopping',  effects: ['sendStop'] },
                    { from: ['stopping', ...OUTCOMES],             to: 'unchanged' }],
  exportEnded:     [{ from: EXPORTING,                             to: 'verifying', effects: ['checkObjects'] },
                    { from: ['stopping', 'listed'],                to: 'verifying', effects: ['checkObjects'] },
                    // It may name keys and hashes that the look before did not know.
                    { from: ['verifying'],                         to: 'unchanged', effects: ['checkObjects'] },
                    { from: OUTCOMES,                              to: 'unchanged' }],
  // The last word of an export may be lost: the storage knows whether it is over.
  exportSilent:    [{ from: EXPORTING,                             to: 'verifying', effects: ['checkObjects'] }],
  attemptOverdue:  [{ from: [...EXPORTING, 'verifying'],           to: 'stopping',  effects: ['sendStop'] }],

  stopOverdue:     [{ from: ['stopping'],                          to: 'unchanged', effects: ['sendStop'] }],
  stopAccepted:    [{ from: ['stopping'],                          to: stopSettles, effects: ['checkObjects'] },
                    { from: [...EXPORTING, 'verifying', ...OUTCOMES], to: 'unchanged' }],
  stopRefused:     [{ from: ['stopping', ...EXPORTING, 'verifying', ...OUTCOMES], to: 'unchanged' }],
  stopGivenUp:     [{ from: ['stopping'],                          to: 'verifying', effects: ['checkObjects'] }],

  checkDue:        [{ from: ['verifying'],                         to: 'unchanged', effects: ['checkObjects'] }],
  checkFailed:     [{ from: [...EXPORTING, 'stopping', 'verifying'], to: 'unchanged' }],
  // Files are missing, and the dock may still export: it is told to stop before it is asked anew.
  objectsChecked:  [{ from: ['verifying'],                         to: asFound,     effects: ['sendStop'] },
                    { from: [...EXPORTING, 'stopping'],            to: 'unchanged' }],

  deadlinePassed:  [{ from: WAITING,                               to: 'timed_out' },
                    { from: EXPORTING,                             to: 'stopping',  effects: ['sendStop'] },
                    { from: ['verifying'],                         to: overtaken,   effects: ['sendStop'] }],
};

export const EVENT_TYPES = Object.keys(transitions) as EventType[];

/** Events that speak of one attempt; about another one they are only evidence. */
function isAboutOtherAttempt({ attempt, state, isRefused }: LogUpload, event: UploadEvent): boolean {
  if (!('attempt' in event)) return false;
  const isOpen = state === 'listed' ? isRefused : !(WAITING as readonly string[]).includes(state);
  return event.attempt !== attempt || !isOpen;
}

/** What makes sense only where the event has led there. */
const FOR_STATE: { readonly [E in Effect]?: UploadState } = { sendStop: 'stopping', checkObjects: 'verifying' };

/** What an event means for an upload. Never throws, reads no clock, changes nothing that it was given. */
export function decide(upload: LogUpload, event: UploadEvent, nowMs: number, timing: Timing): Decision {
  if (isAboutOtherAttempt(upload, event)) return { kind: 'refused', reason: `${event.type} is about another attempt` };
  const rows = transitions[event.type] as readonly Row<EventType>[];
  const row = rows.find(({ from }) => from.includes(upload.state));
  if (!row) return { kind: 'refused', reason: `${event.type} is not possible while ${upload.state}` };

  const { to } = row;
  const state = to === 'unchanged' ? upload.state : typeof to === 'string' ? to : to.pick(upload, event);
  const next = evolve(upload, state, event, nowMs, timing);
  const effects: Effect[] = (row.effects ?? []).filter((effect) => (FOR_STATE[effect] ?? state) === state);
  if (upload.dockMayExport && !next.dockMayExport) effects.push('releaseDock');
  return { kind: state === upload.state ? 'unchanged' : 'moved', upload: next, effects };
}
