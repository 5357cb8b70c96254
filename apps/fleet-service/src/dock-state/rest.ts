import type { BoundedProperties } from './bounded-properties.js';

/** Instants in milliseconds since the epoch; 0: never. */
export interface Rest {
  /** When the device last said that it is idle. */
  readonly idleAtMs: number;
  /** When it first said since that it is not. */
  readonly busySinceMs: number;
}

/** [Cloud API, dock properties] `mode_code` 0 and `flighttask_step_code` 5 say idle. */
const MODE_IDLE = 0;
const STEP_IDLE = 5;

/** What was known before, and what one message says of it. A message without `mode_code` says nothing. */
export function restOf(before: Rest, properties: BoundedProperties['kept'], receivedAtMs: number): Rest {
  const valueOf = (wanted: string): unknown => properties.find(([name]) => name === wanted)?.[2];
  const [mode, step] = [valueOf('mode_code'), valueOf('flighttask_step_code')];
  if (mode === undefined) return before;
  const { idleAtMs, busySinceMs } = before;
  if (Number(mode) === MODE_IDLE && (step === undefined || Number(step) === STEP_IDLE)) {
    return { idleAtMs: Math.max(idleAtMs, receivedAtMs), busySinceMs };
  }
  const isFirst = receivedAtMs > idleAtMs && (busySinceMs <= idleAtMs || receivedAtMs < busySinceMs);
  return isFirst ? { idleAtMs, busySinceMs: receivedAtMs } : before;
}
