import { ERROR_CODES, type ErrorCode, errorCode } from '@aerie/dji-protocol';

/** Every published number of a dock, what it means and what to do. */
export const DOCK_ERRORS: readonly ErrorCode[] = ERROR_CODES;

export const findDockError = (code: number): ErrorCode | null => errorCode(code);

/** [Cloud API, error codes] The code of a flight that stopped is this plus its break reason. */
const BREAK_REASON_BASE = 321_000;

/** The dock's number in words. Null for 0 and for what nobody has published. */
export function dockErrorOf(code: number) {
  const known = errorCode(code);
  return known === null ? null : { en: known.en, zh: known.zh, retry: known.retry, advice: known.advice };
}

export const breakReasonError = (reason: number) => (reason === 0 ? null : dockErrorOf(BREAK_REASON_BASE + reason));
