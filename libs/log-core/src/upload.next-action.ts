import { EXTEND_LEAD_MS, type Timing, askAgainAtMs, overAtMs } from './upload.timing.js';
import { type LogUpload, type UploadEvent, isOutcome } from './upload.types.js';

/** When to look at the upload next. Every state that can be left has an instant: nothing is ever forgotten. */
export function nextActionAtMs(
  upload: LogUpload,
  entered: boolean,
  event: UploadEvent,
  nowMs: number,
  timing: Timing,
): number | null {
  if (isOutcome(upload.state)) return null;
  return Math.max(nowMs, Math.min(overAtMs(upload), ownInstantMs(upload, entered, event, nowMs, timing)));
}

/** The dock was not had: it is asked again, more slowly each time. */
const DEFERS: ReadonlySet<UploadEvent['type']> = new Set([
  'listDeferred',
  'listUnsent',
  'startDeferred',
  'sendRefused',
]);

function ownInstantMs(upload: LogUpload, entered: boolean, event: UploadEvent, nowMs: number, timing: Timing): number {
  const kept = upload.nextActionAtMs ?? nowMs;
  switch (upload.state) {
    case 'requested':
    case 'listed': {
      if (event.type === 'dockHeld') return askAgainAtMs(upload.heldCount, event.freeAtMs, nowMs, timing);
      if (!entered) return kept;
      if (DEFERS.has(event.type)) return askAgainAtMs(upload.heldCount, null, nowMs, timing);
      // A mission took the dock: it is there first.
      const again = event.type === 'listRefused' || event.type === 'startRefused' || event.type === 'objectsChecked';
      return again ? nowMs + timing.repeatMs : nowMs;
    }
    case 'listing':
      return entered || event.type === 'listOverdue' ? nowMs + timing.listReplyMs : kept;
    case 'stopping':
      return entered || event.type === 'stopOverdue' ? nowMs + timing.repeatMs : kept;
    case 'verifying': {
      const waits = entered || ['checkDue', 'checkFailed', 'exportEnded'].includes(event.type);
      const lookMs = waits ? nowMs + timing.repeatMs : kept;
      return upload.dockMayExport ? Math.min(lookMs, watchedMs(upload)) : lookMs;
    }
    default:
      return Math.min((upload.heardAtMs ?? upload.sinceMs) + timing.silenceMs, watchedMs(upload));
  }
}

/** What ends or moves on an export, whatever the dock says. */
function watchedMs({ yieldAtMs, attemptEndsByMs, dockUntilMs }: LogUpload): number {
  const untilMs = dockUntilMs ?? Infinity;
  // No longer than it is reserved, also where the mission comes later than that.
  const endMs = yieldAtMs === null ? untilMs - EXTEND_LEAD_MS : Math.min(yieldAtMs, untilMs);
  return Math.min(endMs, attemptEndsByMs ?? Infinity);
}
