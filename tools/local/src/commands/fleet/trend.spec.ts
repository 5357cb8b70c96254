import { trendOf } from './trend.js';

const everyTenSeconds = (bytesAt: (seconds: number) => number, minutes = 10) =>
  Array.from({ length: minutes * 6 }, (_, index) => ({ atMs: index * 10_000, bytes: bytesAt(index * 10) }));

it('sees growth under what comes and goes with each collection of garbage', () => {
  const { bytesPerMinute, growthBytes } = trendOf(everyTenSeconds((s) => 1_000 + s * 10 + (s % 60) * 50));
  expect(bytesPerMinute).toBeCloseTo(600);
  expect(growthBytes).toBeCloseTo(600 * 9);
});

it('calls flat what only comes and goes', () => {
  const { bytesPerMinute, meanBytes } = trendOf(everyTenSeconds((s) => 1_000 + ((s / 10) % 5) * 100));
  expect(bytesPerMinute).toBeCloseTo(0);
  expect(meanBytes).toBe(1_000);
});

it('says less than nothing of what shrinks', () => {
  expect(trendOf(everyTenSeconds((s) => 9_000 - s)).growthBytes).toBeLessThan(-500);
});

it('knows no slope within one minute', () => {
  expect(trendOf(everyTenSeconds(() => 5, 1))).toEqual({ meanBytes: 5, bytesPerMinute: 0, growthBytes: 0 });
});
