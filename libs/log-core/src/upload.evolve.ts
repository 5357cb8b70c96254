import { nextActionAtMs } from './upload.next-action.js';
import { type Timing, LONGEST_EXPORT_MS, START_LIFETIME_MS, TRANSIT_MS, exportTakesMs } from './upload.timing.js';
import {
  type Cause,
  type LogFile,
  type LogUpload,
  type StopReason,
  type UploadEvent,
  type UploadState,
  isOutcome,
  isNoFailure,
} from './upload.types.js';
import { withTold, withVerdicts } from './upload.files.js';

/** The upload after an event: its new state, what the event tells, and when to look at it next. */
export function evolve(
  upload: LogUpload,
  state: UploadState,
  event: UploadEvent,
  nowMs: number,
  timing: Timing,
): LogUpload {
  // An ended upload is never touched again; what still comes is evidence, kept beside it.
  if (isOutcome(upload.state)) return upload;
  const entered = state !== upload.state;
  const told: LogUpload = {
    ...upload,
    ...factsOf(upload, state, event, nowMs, timing),
    state,
    revision: upload.revision + 1,
    sinceMs: entered ? nowMs : upload.sinceMs,
  };
  const settled = entered ? { ...told, ...onEntry(told, upload, event, nowMs) } : told;
  return { ...settled, nextActionAtMs: nextActionAtMs(settled, entered, event, nowMs, timing) };
}

function factsOf(
  upload: LogUpload,
  state: UploadState,
  event: UploadEvent,
  nowMs: number,
  timing: Timing,
): Partial<LogUpload> {
  switch (event.type) {
    case 'listDue':
    case 'listOverdue':
      return { listCount: upload.listCount + 1, cause: null };
    case 'listGivenUp':
      return { cause: { code: 'list_no_reply' } };
    case 'listAnswered':
      if (upload.state !== 'listing') return {};
      return { files: event.files, heldCount: 0, cause: state === 'failed' ? nothingToAskFor(event.files) : null };
    case 'listRefused':
      return upload.state === 'listing' ? { cause: { code: 'list_refused', dockResult: event.dockResult } } : {};
    case 'listDeferred':
      if (upload.state !== 'listing') return {};
      return {
        listCount: 0,
        heldCount: upload.heldCount + 1,
        cause: { code: 'dock_busy', dockResult: event.dockResult },
      };
    case 'listUnsent':
      if (upload.state !== 'listing') return {};
      return { listCount: 0, heldCount: upload.heldCount + 1, cause: { code: 'send_refused' } };
    case 'dockHeld':
      return { heldCount: upload.heldCount + 1, yieldAtMs: null, cause: { code: event.because } };
    case 'dockGranted':
      return upload.state === 'listed' ? begun(upload, event.untilMs, nowMs, timing) : { dockUntilMs: event.untilMs };
    case 'dockNeeded':
      // It may be told before we hear that the dock was ours.
      if (!upload.dockMayExport && upload.state !== 'listed') return {};
      return { yieldAtMs: Math.min(upload.yieldAtMs ?? Infinity, event.atMs) };
    case 'startAccepted':
      if (upload.state === 'listed') return begunAfterAll(upload, nowMs);
      return { ...heard(upload, nowMs), heldCount: 0 };
    case 'startRefused':
      if (upload.state !== 'starting') return over(nowMs);
      return {
        ...{ ...over(nowMs), isRefused: true, failures: upload.failures + 1 },
        cause: refusal('start_refused', event.dockResult),
      };
    case 'startDeferred':
      if (upload.state !== 'starting') return { heardAtMs: nowMs };
      return {
        ...{ ...over(nowMs), isRefused: true, heldCount: upload.heldCount + 1 },
        cause: refusal('dock_busy', event.dockResult),
      };
    case 'sendRefused':
      return { ...over(upload.heardAtMs), heldCount: upload.heldCount + 1, cause: { code: 'send_refused' } };
    case 'exportTold':
      if (upload.state === 'listed')
        return { ...begunAfterAll(upload, nowMs), files: withTold(upload.files, event.files) };
      // It speaks again: that it was silent explains nothing of how it will end.
      return {
        ...heard(upload, nowMs),
        files: withTold(upload.files, event.files),
        cause: upload.cause?.code === 'silent' ? null : upload.cause,
      };
    case 'exportEnded':
      return {
        ...(upload.state === 'listed' ? begunAfterAll(upload, nowMs) : {}),
        ...over(nowMs),
        files: withTold(upload.files, event.files),
      };
    case 'exportSilent':
      return { cause: { code: 'silent' } };
    case 'attemptOverdue':
      // Who wanted it to stop before is why it stops.
      return upload.stopFor === null ? { stopFor: 'retry', cause: { code: 'too_slow' } } : {};
    case 'yieldDue': {
      const stopFor = stronger(upload.stopFor, 'mission');
      return stopFor === 'mission' ? { stopFor, cause: { code: 'yielded_to_mission' } } : { stopFor };
    }
    case 'cancelRequested':
      return { stopFor: 'operator', cause: { code: 'canceled_by_operator' } };
    case 'deadlinePassed': {
      const stopFor = stronger(upload.stopFor, 'deadline');
      return stopFor === 'operator' ? { stopFor } : { stopFor, cause: { code: 'deadline_passed' } };
    }
    case 'stopOverdue':
      return { stopCount: upload.stopCount + 1 };
    case 'stopAccepted':
      return state === 'verifying' ? { ...over(nowMs) } : { heardAtMs: nowMs };
    case 'stopRefused':
      return { heardAtMs: nowMs };
    case 'stopGivenUp':
      return { ...over(upload.heardAtMs) };
    case 'objectsChecked':
      return upload.state === 'verifying' ? checked(upload, state, event, nowMs) : {};
    case 'checkFailed':
      return upload.state === 'verifying' && upload.stopFor === null ? { cause: { code: 'storage_silent' } } : {};
    case 'checkDue':
      return {};
  }
}

/** The dock exports no more. */
const over = (heardAtMs: number | null): Partial<LogUpload> => ({
  dockMayExport: false,
  dockUntilMs: null,
  heardAtMs,
});

/** The first word of an attempt proves that its start has arrived. */
const heard = ({ stopsCountFromMs }: LogUpload, nowMs: number): Partial<LogUpload> => ({
  stopsCountFromMs: stopsCountFromMs === null ? null : Math.min(stopsCountFromMs, nowMs),
  heardAtMs: nowMs,
});

/** It said that it would not begin, and has: nobody has reserved it. */
const begunAfterAll = (upload: LogUpload, nowMs: number): Partial<LogUpload> => ({
  ...heard(upload, nowMs),
  dockMayExport: true,
  isRefused: false,
  stopFor: 'unexpected',
});

const refusal = (code: Cause['code'], dockResult: number): Cause => ({ code, dockResult });

function begun(upload: LogUpload, untilMs: number, nowMs: number, timing: Timing): Partial<LogUpload> {
  // Three times the estimate: slow, and not stuck.
  const takesMs = Math.min(LONGEST_EXPORT_MS, exportTakesMs(upload.files, timing) * 3);
  return {
    attempt: upload.attempt + 1,
    dockMayExport: true,
    dockUntilMs: untilMs,
    stopsCountFromMs: nowMs + START_LIFETIME_MS + TRANSIT_MS,
    isRefused: false,
    stopFor: null,
    stopCount: 0,
    keysEndAtMs: null,
    attemptEndsByMs: nowMs + takesMs,
    heardAtMs: null,
    // Why the attempt before ended, or why it waited, explains nothing of this one.
    cause: null,
    files: upload.files.map((file) => (file.state === 'wanted' ? withoutWord(file) : file)),
  };
}

/** What a dock said of its last attempt says nothing of the next; what it lists, it still has or has not. */
const withoutWord = (file: LogFile): LogFile => ({
  ...file,
  told: null,
  problem: file.problem?.code === 'several_files' ? null : file.problem,
});

/** A person's wish outweighs all; a mission that needs the dock is served by any stop. */
const WEIGHT: Readonly<Record<StopReason, number>> = { retry: 0, unexpected: 1, mission: 2, deadline: 3, operator: 4 };

const stronger = (present: StopReason | null, next: StopReason): StopReason =>
  present !== null && WEIGHT[present] >= WEIGHT[next] ? present : next;

function checked(
  upload: LogUpload,
  state: UploadState,
  event: Extract<UploadEvent, { type: 'objectsChecked' }>,
  nowMs: number,
): Partial<LogUpload> {
  const files = withVerdicts(upload.files, event);
  if (state === 'stored') return { ...over(upload.heardAtMs), files, cause: null };
  if (state === 'partly_stored' && !files.some((file) => file.state === 'wanted')) {
    return { ...over(upload.heardAtMs), files, cause: files.find(({ problem }) => problem !== null)?.problem ?? null };
  }
  // Who wanted it to stop is why it stops, also when the storage is looked into first.
  const hasNotFailed = isNoFailure(upload.stopFor);
  const cause = hasNotFailed ? upload.cause : whyMissing(upload, event, nowMs);
  if (state === 'stopping') return { files, stopFor: upload.stopFor ?? 'retry', cause };
  return { files, failures: upload.failures + (hasNotFailed ? 0 : 1), cause };
}

/** Keys that end within this time are too old for the last request of an upload. */
const KEYS_MARGIN_MS = 60_000;

/** Why files of an attempt are not there, as far as it can be known. */
function whyMissing(
  { keysEndAtMs, files, cause }: LogUpload,
  { files: looked }: Extract<UploadEvent, { type: 'objectsChecked' }>,
  nowMs: number,
): Cause {
  if (keysEndAtMs !== null && nowMs >= keysEndAtMs - KEYS_MARGIN_MS) return { code: 'keys_expired' };
  // It was told to stop for that; what it says of its files afterwards is what comes of it.
  if (cause?.code === 'too_slow') return cause;
  const told = files.find((file) => file.state === 'wanted' && file.told?.progress === 'failed')?.told;
  if (told != null)
    return { code: 'reported_by_dock', ...(told.dockResult === null ? {} : { dockResult: told.dockResult }) };
  if (looked.some(({ verdict }) => verdict === 'differs')) return { code: 'objects_differ' };
  return cause?.code === 'silent' ? cause : { code: 'objects_missing' };
}

/** A dock that lists nothing of what was asked for. */
function nothingToAskFor(files: LogUpload['files']): Cause {
  return files.find(({ problem }) => problem !== null)?.problem ?? { code: 'nothing_found' };
}

function onEntry(upload: LogUpload, before: LogUpload, event: UploadEvent, nowMs: number): Partial<LogUpload> {
  if (upload.state === 'stopping') return { stopCount: 1 };
  if (upload.state === 'listed' && before.state !== 'listing') {
    // A stop has done its work; what it was for is told by the cause.
    return { stopFor: null, yieldAtMs: null, attemptEndsByMs: null };
  }
  if (upload.state === 'requested') return { listCount: event.type === 'listRefused' ? upload.listCount : 0 };
  return isOutcome(upload.state) ? { yieldAtMs: null, heardAtMs: upload.heardAtMs ?? nowMs } : {};
}
