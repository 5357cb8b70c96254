import { ClockSkew } from './clock-skew.js';

const NOON = Date.UTC(2030, 0, 1, 12);

it('knows nothing before the first message', () => {
  expect(new ClockSkew().read(NOON)).toBeNull();
});

it('takes the smallest difference, because waiting on the way only adds to it', () => {
  const skew = new ClockSkew();
  skew.add(NOON - 25_400, NOON);
  skew.add(NOON - 25_000 + 2_000, NOON + 2_000);
  skew.add(NOON - 31_000 + 4_000, NOON + 4_000);
  expect(skew.read(NOON + 4_000)).toBe(25_000);
});

it('is negative for a clock that is ahead', () => {
  const skew = new ClockSkew();
  skew.add(NOON + 40_000, NOON);
  expect(skew.read(NOON)).toBe(-40_000);
});

it('forgets a clock that was set right within a minute', () => {
  const skew = new ClockSkew();
  skew.add(NOON + 40_000, NOON);
  for (let atMs = NOON + 2_000; atMs <= NOON + 62_000; atMs += 2_000) skew.add(atMs - 100, atMs);
  expect(skew.read(NOON + 62_000)).toBe(100);
});

it('says nothing of a device that was silent for a minute', () => {
  const skew = new ClockSkew();
  skew.add(NOON - 100, NOON);
  expect(skew.read(NOON + 61_000)).toBeNull();
});
