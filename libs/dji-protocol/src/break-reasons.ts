import { BREAK_REASON_ROWS } from './catalogue/break-reason-rows.js';

/** Why a wayline stopped, by `break_point.break_reason`. The list is open. [Cloud API, flighttask_progress] */
export const BREAK_REASONS: ReadonlyMap<number, string> = new Map(
  BREAK_REASON_ROWS.flatMap(([reasons, en]) => reasons.map((reason) => [reason, en] as const)),
);

/** Short text for a break reason, or null where none is published. 0 means "none". */
export const breakReasonMeaning = (reason: number): string | null => BREAK_REASONS.get(reason) ?? null;
