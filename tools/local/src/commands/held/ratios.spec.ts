import { type Pair, type PhaseCost, beyond, ratiosOf } from './ratios.js';

const aPhase = (parts: Partial<PhaseCost> = {}): PhaseCost => ({
  ...{ messages: 100, cpuMs: 2, cpuMsOfMissionsAndDatabase: 1, statements: 1.5, buffers: 10 },
  ...{ cpuMsByProcess: {}, buffersByStatement: {} },
  ...parts,
});
const pairsWith = (...burdened: readonly Partial<PhaseCost>[]): Pair[] =>
  burdened.map((parts) => ({ without: aPhase(), with: aPhase(parts) }));
const complaintsOf = (...burdened: readonly Partial<PhaseCost>[]): string[] => beyond(ratiosOf(pairsWith(...burdened)));

it('compares medians, so one disturbed phase of a side decides nothing', () => {
  expect(complaintsOf({}, { cpuMs: 40, buffers: 400 }, {})).toEqual([]);
});

it('names what is beyond its limit, and leaves what is within it', () => {
  const all = { cpuMs: 2.29, cpuMsOfMissionsAndDatabase: 1.16, statements: 1.64, buffers: 11.1 };
  expect(complaintsOf(all, all, all)).toEqual([
    'cpuMsOfMissionsAndDatabase in the median: 1.16 times, at most 1.15.',
    'buffers in the median: 1.11 times, at most 1.1.',
    'buffers at the end: 1.11 times, at most 1.1.',
  ]);
});

it('looks at the end of what grows, but not at the CPU time of one phase', () => {
  expect(complaintsOf({}, {}, { cpuMs: 4, statements: 1.8, buffers: 20 })).toEqual([
    'statements at the end: 1.2 times, at most 1.1.',
    'buffers at the end: 2 times, at most 1.1.',
  ]);
});

it('takes nothing measured for beyond', () => {
  expect(complaintsOf({ buffers: Number.NaN })).toContain('buffers in the median: NaN times, at most 1.1.');
});
