import type { StoredBreakPoint } from './dock-profiles.js';

/** 65534 and 65535 mean that there is none. [Cloud API, flighttask_progress] */
const NO_ID = 65_534;

/** Whether a dock can be told to begin there: real docks also report places that name nothing. */
export function isResumable({ index, state, progress, wayline_id }: StoredBreakPoint): boolean {
  const isId = (value: number | null | undefined): boolean =>
    value != null && Number.isInteger(value) && value >= 0 && value < NO_ID;
  const share = progress ?? -1;
  return isId(index) && isId(wayline_id) && (state === 0 || state === 1) && share >= 0 && share <= 1;
}
