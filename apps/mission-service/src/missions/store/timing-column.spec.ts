import { DEFAULT_TIMING, type Timing } from '@aerie/mission-core';
import { TIMING_OF_ROWS, knownTimingOf, timingColumn, timingOf } from './timing-column.js';

it('has the rules that are not in a row fixed, since rows were written by them', () => {
  expect(TIMING_OF_ROWS).toEqual({
    ...{ prepareLeadMs: 900_000, executeLeadMs: 120_000, startWindowMs: 20_000, startWithinMs: 60_000 },
    ...{ immediateReplyMs: 10_000, replyMs: 30_000, observeEveryMs: 10_000, silenceMs: 60_000, startGraceMs: 30_000 },
    ...{ powerOnMs: 120_000, restingForMs: 60_000, unobservedMs: 600_000, durationSlackMs: 600_000 },
    maxDurationMs: 10_800_000,
  });
});

it('keeps one rule in a row that has nothing else to say: an empty one follows the settings', () => {
  expect(timingColumn(DEFAULT_TIMING)).toEqual({ silenceMs: DEFAULT_TIMING.silenceMs });
});

it.each(Object.keys(DEFAULT_TIMING) as (keyof Timing)[])('reads %s back as it was written', (name) => {
  const timing = { ...DEFAULT_TIMING, [name]: 1_234 };
  const written = JSON.parse(JSON.stringify(timingColumn(timing))) as Partial<Timing>;
  expect(timingOf({ timing: written })).toEqual(timing);
  expect(knownTimingOf({ timing: written })).toEqual(timing);
});

it('reads a row of the previous release, which has all rules', () => {
  const timing = { ...DEFAULT_TIMING, startWindowMs: 7_000 };
  expect(timingOf({ timing })).toEqual(timing);
  expect(knownTimingOf({ timing })).toEqual(timing);
});

it('knows no rule of an ended mission of the first release', () => {
  expect(knownTimingOf({ timing: {} })).toEqual({});
});
