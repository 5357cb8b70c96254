import type { LogFile, LogUpload } from './upload.types.js';

/** Numbers that an operator may set. All in milliseconds but for the rate. */
export interface Timing {
  /** How long a list waits for its reply: a dock reads its disk for it. */
  readonly listReplyMs: number;
  /** An export that says nothing for this long is looked at in the storage. */
  readonly silenceMs: number;
  /** Between two stops, and between two looks at a storage. */
  readonly repeatMs: number;
  /** Before a dock that could not be had is asked for again; it doubles up to the longest. */
  readonly holdMs: number;
  readonly longestHoldMs: number;
  /** What is taken of a dock's uplink for an estimate, bytes per second. */
  readonly bytesPerSecond: number;
  /** Before and after the upload itself: pulling, packing, and the margin before a mission. */
  readonly overheadMs: number;
  /** How long after it was asked for an upload may end. */
  readonly lifetimeMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const DEFAULT_TIMING: Timing = {
  listReplyMs: MINUTE_MS,
  silenceMs: 90_000,
  repeatMs: 10_000,
  holdMs: 15_000,
  longestHoldMs: 10 * MINUTE_MS,
  // 2 Mbit/s: the uplink of a dock on a mast with a weak cell.
  bytesPerSecond: 250_000,
  overheadMs: 3 * MINUTE_MS,
  lifetimeMs: 24 * HOUR_MS,
};

/** Lists and attempts in a row without success, before an upload has failed. */
export const TRIES = 3;
/** Stops in a row; then the dock is taken for one that exports no more. */
export const STOP_LIMIT = 6;
/** The folder of an attempt has two digits. Only a dock that defers starts for a day comes near. */
export const ATTEMPT_LIMIT = 99;
/** No export takes longer: the keys of a storage live twelve hours at most, and a dock has missions to fly. */
export const LONGEST_EXPORT_MS = 6 * HOUR_MS;
/** The reservation is moved on this long before its end, so that there is time to stop if it cannot be. */
export const EXTEND_LEAD_MS = 45_000;

/** A dock is told to stop this long before it is needed. */
export const STOP_LEAD_MS = 30_000;
/**
 * A start that has not left after this does not leave. While it may, a dock that stops has perhaps not begun; so it must
 * be over, and another stop answered, well within the lead of a mission.
 */
export const START_LIFETIME_MS = 15_000;
/** The broker keeps it no longer than that, but the link to the dock may hold it a moment more. */
export const TRANSIT_MS = 2_000;
/** A storage that is away, or slow to be read, when the deadline passes is asked for so long what the dock has left there. */
export const LAST_LOOKS_MS = HOUR_MS;

/**
 * When an upload is over, whatever it waits for. Two things that the deadline sets going have bounds of their own: a dock
 * gets its time to stop, or it would be given back while it exports; and the storage is looked into afterwards, or what is
 * complete there would be lost.
 */
export function overAtMs({ state, sinceMs, deadlineMs, dockMayExport }: LogUpload): number {
  if (state === 'stopping') return Infinity;
  if (state === 'verifying' && !dockMayExport) return Math.max(deadlineMs, sinceMs) + LAST_LOOKS_MS;
  return deadlineMs;
}

export const wantedBytes = (files: readonly LogFile[]): number =>
  files.filter(({ state }) => state === 'wanted').reduce((sum, { expectedBytes }) => sum + expectedBytes, 0);

/** How long the dock is needed for what is not stored yet: the upload at the assumed rate, and what is around it. */
export function exportTakesMs(files: readonly LogFile[], timing: Timing): number {
  const uploadMs = (wantedBytes(files) / timing.bytesPerSecond) * 1_000;
  return Math.min(LONGEST_EXPORT_MS, Math.ceil(uploadMs + timing.overheadMs));
}

/** When to ask again for a dock that could not be had for the `heldCount`th time in a row. */
export function askAgainAtMs(heldCount: number, freeAtMs: number | null, nowMs: number, timing: Timing): number {
  const waitMs = Math.min(timing.longestHoldMs, timing.holdMs * 2 ** Math.min(heldCount - 1, 20));
  // A mission often ends sooner than it was planned: never wait only for the planned end.
  return freeAtMs !== null && freeAtMs > nowMs ? Math.min(freeAtMs, nowMs + timing.longestHoldMs) : nowMs + waitMs;
}

/** What is asked of the reservation now. */
export function neededMs(upload: LogUpload, nowMs: number, timing: Timing): number {
  const leftMs = upload.attemptEndsByMs === null ? 0 : upload.attemptEndsByMs - nowMs;
  const estimateMs = exportTakesMs(upload.files, timing);
  return Math.max(EXTEND_LEAD_MS + timing.overheadMs, upload.dockMayExport ? Math.min(estimateMs, leftMs) : estimateMs);
}
