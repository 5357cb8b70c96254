import { errorCode } from './catalogue/error-codes.js';

/** Which result codes decide something. What each code means is data: `catalogue/`. */

/** A flight that the user sent home ends as `failed` with this code (quirk M18). */
export const USER_RETURN_RESULT = 322283;

/** A person ended the flight: by the remote control, in a manual flight, or by return-home. [Cloud API, error codes] */
const ENDED_BY_PERSON: ReadonlySet<number> = new Set([322281, 322282, USER_RETURN_RESULT]);

export const isEndedByPerson = (code: number): boolean => ENDED_BY_PERSON.has(code);

/** [Cloud API demo] What its scheduler retries later: the dock or the weather forbids a start now, the task is sound. */
export const BUSY_FOR_NOW: ReadonlySet<number> = new Set([
  316026, 319001, 319016, 319018, 319019, 321513, 321514, 321515, 514120, 514134, 514135, 514136, 514137, 514145,
  514146, 514147, 514148,
]);

export const isBusyForNow = (code: number): boolean => BUSY_FOR_NOW.has(code);
/** The wayline was started before: the aircraft may be in the air because of an earlier command. */
export const isAlreadyRunning = (code: number): boolean => code === 321257;
/** `flighttask_undo` came too late: the flight runs and must be ended in another way. */
export const isCannotCancelRunning = (code: number): boolean => code === 319006;

/** Mission id unknown to the dock, mission id unknown to the aircraft, wayline not started. */
const NOT_PREPARED: ReadonlySet<number> = new Set([319003, 321001, 321259]);

/** The answer to `flighttask_execute` of a dock that does not hold the task, e.g. after a restart: prepare it again. */
export const isNotPrepared = (code: number): boolean => NOT_PREPARED.has(code);

/** Short English text for a result code, or null for a code that is not in the table. */
export const meaningOf = (code: number): string | null => errorCode(code)?.en ?? null;

/**
 * Answers to a command about logs that mean "later": the dock flies, starts, exports already, is being serviced or
 * upgraded. [Cloud API, result codes: "later"]
 */
export const BUSY_FOR_LOGS: ReadonlySet<number> = new Set([
  ...[319001, 319015, 319016, 319017, 319018, 319019, 319025, 319028, 319029, 319036, 319037, 319038],
  ...[325005, 325006, 325007, 325008, 325009, 325010, 325011],
  ...[514145, 514146, 514147, 514148, 514150, 514170],
]);

export const isBusyForLogs = (code: number): boolean => BUSY_FOR_LOGS.has(code);
