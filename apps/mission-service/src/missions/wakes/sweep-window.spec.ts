import { SweepWindow } from './sweep-window.js';

const START_MS = 1_000_000;

it('looks at everything until nothing was found', () => {
  const window = new SweepWindow();
  expect(window.backMs(START_MS)).toBeNull();
  expect(window.backMs(START_MS + 1_000)).toBeNull();
  window.foundNothing(START_MS + 1_000, null);
  expect(window.backMs(START_MS + 2_000)).toBe(6_000);
});

it('goes back to the last look that found nothing, however long ago that was', () => {
  const window = new SweepWindow();
  window.foundNothing(START_MS, null);
  window.foundNothing(START_MS + 1_000, 6_000);
  // Looks that found something, and looks that failed, say nothing.
  expect(window.backMs(START_MS + 30_000)).toBe(34_000);
});

it('looks at everything each minute', () => {
  const window = new SweepWindow();
  window.foundNothing(START_MS, null);
  window.foundNothing(START_MS + 59_000, 6_000);
  expect(window.backMs(START_MS + 59_999)).not.toBeNull();
  expect(window.backMs(START_MS + 60_000)).toBeNull();
  window.foundNothing(START_MS + 60_000, null);
  expect(window.backMs(START_MS + 61_000)).toBe(6_000);
});

it('is not moved back by a look that began earlier and took longer', () => {
  const window = new SweepWindow();
  window.foundNothing(START_MS + 2_000, null);
  window.foundNothing(START_MS + 1_000, 6_000);
  expect(window.backMs(START_MS + 3_000)).toBe(6_000);
});
