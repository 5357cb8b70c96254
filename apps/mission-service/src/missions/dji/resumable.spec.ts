import { isResumable } from './resumable.js';

const PLACE = { index: 3, state: 0, progress: 0.4, wayline_id: 0 };

it('takes a place on a segment and at a waypoint', () => {
  expect(isResumable(PLACE)).toBe(true);
  expect(isResumable({ ...PLACE, state: 1, progress: 0 })).toBe(true);
});

it.each([
  ['no wayline had begun', { ...PLACE, wayline_id: null }],
  ['the index says unknown', { ...PLACE, index: 65_535 }],
  ['the index is missing', { state: 0, progress: 0, wayline_id: 0 }],
  ['the share is outside of the segment', { ...PLACE, progress: 1.5 }],
  ['the state is unknown', { ...PLACE, state: 7 }],
])('refuses a place where %s', (_why, place) => {
  expect(isResumable(place)).toBe(false);
});
