import { EXTEND_LEAD_MS, START_LIFETIME_MS, STOP_LIMIT, TRIES, type Timing, overAtMs } from './upload.timing.js';
import type { LogUpload, UploadEvent } from './upload.types.js';

/**
 * What time alone has brought about. `dockWanted` and `extensionWanted` are for the edges: mission-service is asked for
 * the dock, and what it says is the event.
 */
export type Due = UploadEvent | { readonly type: 'dockWanted' } | { readonly type: 'extensionWanted' };

/**
 * What is due, or null when it is too early for anything. Called for every row whose `nextActionAtMs` has come; calling
 * it earlier, later or twice is harmless.
 */
export function dueNow(upload: LogUpload, nowMs: number, timing: Timing): Due | null {
  if (upload.nextActionAtMs === null || nowMs < upload.nextActionAtMs) return null;
  if (nowMs >= overAtMs(upload)) return { type: 'deadlinePassed' };
  switch (upload.state) {
    case 'requested':
      return { type: 'listDue' };
    case 'listing':
      return { type: upload.listCount < TRIES ? 'listOverdue' : 'listGivenUp' };
    case 'listed':
      return { type: 'dockWanted' };
    case 'starting':
    case 'pulling':
    case 'zipping':
    case 'uploading': {
      const silentMs = nowMs - (upload.heardAtMs ?? upload.sinceMs);
      return watched(upload, nowMs) ?? (silentMs >= timing.silenceMs ? silent(upload, nowMs) : null);
    }
    case 'stopping':
      return { type: upload.stopCount < STOP_LIMIT ? 'stopOverdue' : 'stopGivenUp' };
    case 'verifying':
      return (upload.dockMayExport ? watched(upload, nowMs) : null) ?? { type: 'checkDue' };
    default:
      return null;
  }
}

/** A start is sent with keys. Where none were issued while it might leave, whoever was to send it is gone. */
const silent = ({ state, keysEndAtMs, attempt, sinceMs }: LogUpload, nowMs: number): UploadEvent =>
  state === 'starting' && keysEndAtMs === null && nowMs >= sinceMs + START_LIFETIME_MS
    ? { type: 'sendRefused', attempt }
    : { type: 'exportSilent' };

function watched({ yieldAtMs, attemptEndsByMs, dockUntilMs }: LogUpload, nowMs: number): Due | null {
  // A reservation that could not be moved on is over: from here the dock may be a mission's.
  if (nowMs >= Math.min(yieldAtMs ?? Infinity, dockUntilMs ?? Infinity)) return { type: 'yieldDue' };
  if (attemptEndsByMs !== null && nowMs >= attemptEndsByMs) return { type: 'attemptOverdue' };
  const mayExtend = yieldAtMs === null && dockUntilMs !== null;
  return mayExtend && nowMs >= dockUntilMs - EXTEND_LEAD_MS ? { type: 'extensionWanted' } : null;
}
