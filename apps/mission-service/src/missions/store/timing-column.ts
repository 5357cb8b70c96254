// The rules of time of a mission as they lie in its row. Each change of verdicts writes the row's bytes from its state to them, and
// the rules lie between: 420 bytes, most of them of rules that nobody had set.
import { DEFAULT_TIMING, type Timing } from '@aerie/mission-core';

/**
 * What a rule is that a row does not have. Fixed: rows were written by it. It is the DEFAULT_TIMING of the previous
 * release, which reads such a row by that. A rule that a later release adds is not in here, and so in each of its rows.
 */
export const TIMING_OF_ROWS = {
  ...{ prepareLeadMs: 900_000, executeLeadMs: 120_000, startWindowMs: 20_000, startWithinMs: 60_000 },
  ...{ immediateReplyMs: 10_000, replyMs: 30_000, observeEveryMs: 10_000, silenceMs: 60_000, startGraceMs: 30_000 },
  ...{ powerOnMs: 120_000, restingForMs: 60_000, unobservedMs: 600_000, durationSlackMs: 600_000 },
  maxDurationMs: 10_800_000,
} as const satisfies Partial<Timing>;

const OF_ROWS: Partial<Timing> = TIMING_OF_ROWS;

/** One rule is always there: a row without any is of the first release, and follows the settings of the service. */
export const timingColumn = (timing: Timing): Partial<Timing> => ({
  silenceMs: timing.silenceMs,
  ...Object.fromEntries(Object.entries(timing).filter(([name, value]) => OF_ROWS[name as keyof Timing] !== value)),
});

interface TimedRow {
  readonly timing: Partial<Timing>;
}

/** The rules of time of a mission. The previous release wrote all of them. */
export const timingOf = ({ timing }: TimedRow): Timing => ({ ...DEFAULT_TIMING, ...TIMING_OF_ROWS, ...timing });

/** Those that are known: none of a mission of the first release that has ended. */
export const knownTimingOf = ({ timing }: TimedRow): Partial<Timing> =>
  Object.keys(timing).length === 0 ? {} : { ...TIMING_OF_ROWS, ...timing };
