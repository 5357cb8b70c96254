import { ERROR_CODES, type ErrorCode, errorCode, isEndedByPerson } from '@aerie/dji-protocol';
import type { Cause } from '@aerie/mission-core';

/** Every published number of a dock, what it means and what to do. */
export const DOCK_ERRORS: readonly ErrorCode[] = ERROR_CODES;

export const findDockError = (code: number): ErrorCode | null => errorCode(code);

/** Who ended a mission that has ended with this cause. Null: time did, or nobody knows. */
export function enderOf({ code, dockResult }: Cause): 'person' | 'dock' | null {
  if (code === 'canceled_by_operator' || code === 'approval_refused') return 'person';
  if (dockResult === undefined) return null;
  return isEndedByPerson(dockResult) ? 'person' : 'dock';
}

/** Whether a flight that ended with this number can go on where it stopped, once its breakpoint is known. */
export const canBeResumed = (code: number): boolean => errorCode(code)?.resumable === true;

/** [Cloud API, error codes] The code of a flight that stopped is this plus its break reason. */
const BREAK_REASON_BASE = 321_000;

/** The dock's number in words. Null for 0 and for what nobody has published. */
export function dockErrorOf(code: number) {
  const known = errorCode(code);
  return known === null ? null : { en: known.en, zh: known.zh, retry: known.retry, advice: known.advice };
}

export const breakReasonError = (reason: number) => (reason === 0 ? null : dockErrorOf(BREAK_REASON_BASE + reason));
