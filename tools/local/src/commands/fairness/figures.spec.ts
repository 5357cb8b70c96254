import { delaysOf, lossesOf, percentile } from './figures.js';
import type { OthersFigures } from './others.js';

const well = (parts: Partial<OthersFigures> = {}): OthersFigures => ({
  ...{ requests: 100, unanswered: 0, answeredAfterMs: Array.from({ length: 100 }, (_, index) => index + 1) },
  ...{ eventsSent: 100, eventsKept: 100, flights: 2, notSucceeded: [], endTakenAfterMs: [100, 200] },
  ...parts,
});

it('is well where nothing was lost and all came in time', () => {
  expect([lossesOf(well()), delaysOf(well())]).toEqual([[], []]);
});

it.each<[string, Partial<OthersFigures>]>([
  ['a request without an answer', { unanswered: 1 }],
  ['an event that was not kept', { eventsKept: 99 }],
  ['an event that was kept twice', { eventsKept: 101 }],
  ['a mission that did not succeed', { notSucceeded: ['missed'] }],
  ['a flight without an end', { endTakenAfterMs: [100] }],
])('names %s', (_what, parts) => {
  expect(lossesOf(well(parts))).toHaveLength(1);
});

it.each<[string, Partial<OthersFigures>]>([
  ['slow answers', { answeredAfterMs: Array.from({ length: 100 }, (_, index) => (index < 98 ? 1 : 1_001)) }],
  ['no answers at all', { answeredAfterMs: [] }],
  ['a late end', { endTakenAfterMs: [100, 2_001] }],
])('names %s', (_what, parts) => {
  expect(delaysOf(well(parts))).toHaveLength(1);
});

it('reads a percentile as the nearest rank', () => {
  expect([percentile([3, 1, 2], 50), percentile([3, 1, 2], 100), percentile([], 99)]).toEqual([2, 3, NaN]);
});
