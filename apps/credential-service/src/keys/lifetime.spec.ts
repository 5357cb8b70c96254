import { lifetimeFor } from './lifetime.js';

it.each([
  ['nothing', 0, 3_600],
  ['a file that takes minutes', 20_000_000, 3_600],
  ['a gigabyte, which takes over an hour', 1_000_000_000, 10_800],
  ['more than the role allows', 100_000_000_000, 43_200],
])('keys for %s live %#', (_what, sizeBytes, seconds) => {
  expect(lifetimeFor(sizeBytes, 43_200)).toBe(seconds);
});
