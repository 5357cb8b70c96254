import { ADVICE, type Advice, type Retry } from './advice.js';
import { BREAK_REASON_ROWS } from './break-reason-rows.js';
import { DEVICE_CODE_ROWS } from './device-code-rows.js';
import { LIVE_CODE_ROWS } from './live-code-rows.js';
import { MISSION_CODE_ROWS } from './mission-code-rows.js';
import type { Row } from './row.js';

/** What a result code means, and what can be done about it. */
export interface ErrorCode {
  /** ABCDEF: A the source, BC the module, DEF the error. */
  readonly code: number;
  /** Short, in our own words. */
  readonly en: string;
  readonly zh: string;
  /** Whether the same thing may be tried again. Advice for people and schedulers; it decides no flight by itself. */
  readonly retry: Retry;
  /** One sentence: what the operator can do. */
  readonly advice: Advice;
  /** The flight was cut short and can go on from its breakpoint, as a new mission. */
  readonly resumable?: true;
}

/** The reason for a wayline's end and its result code differ by this, in every published pair. */
export const BREAK_REASON_BASE = 321_000;

/** Battery, link, wind, interference, and three ways in which a person ended the flight. */
const RESUMABLE: ReadonlySet<number> = new Set([321773, 321775, 321784, 321788, 322281, 322282, 322283]);

function entriesOf(rows: readonly Row[], base = 0): ErrorCode[] {
  return rows.flatMap(([numbers, en, zh, key]) => {
    const { retry, ...advice } = ADVICE[key];
    return numbers.map((number): ErrorCode => {
      const code = base + number;
      return { code, en, zh, retry, advice, ...(RESUMABLE.has(code) ? { resumable: true } : {}) };
    });
  });
}

/**
 * Every code that is known, by number: all of the vendor's list of 1.16.1, and some that only older lists or devices have.
 * The ranges of leapfrog (315) and of the choice of a dock (338) hold numbers that no page describes one by one.
 */
export const ERROR_CODES: readonly ErrorCode[] = [
  ...entriesOf(MISSION_CODE_ROWS),
  ...entriesOf(BREAK_REASON_ROWS, BREAK_REASON_BASE),
  ...entriesOf(DEVICE_CODE_ROWS),
  ...entriesOf(LIVE_CODE_ROWS),
].sort((one, other) => one.code - other.code);

const byCode: ReadonlyMap<number, ErrorCode> = new Map(ERROR_CODES.map((entry) => [entry.code, entry]));

/** The entry of a result code, or null for a code that is not in the table. */
export const errorCode = (code: number): ErrorCode | null => byCode.get(code) ?? null;
