import { TokenBuckets } from './token-buckets.js';

let nowMs = 0;
const clock = (): number => nowMs;
beforeEach(() => (nowMs = 5_000));
const take = (buckets: TokenBuckets, name: string, times: number): number[] =>
  Array.from({ length: times }, () => buckets.take(name));

it('gives as many tokens at once as a bucket holds, and then says when the next one comes', () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 3 }, 10, clock);
  expect(take(buckets, 'a', 4)).toEqual([0, 0, 0, 500]);
});

it('fills a bucket evenly, and never beyond what it holds', () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 3 }, 10, clock);
  take(buckets, 'a', 3);
  nowMs += 500;
  expect(take(buckets, 'a', 2)).toEqual([0, 500]);
  nowMs += 60_000;
  expect(take(buckets, 'a', 4)).toEqual([0, 0, 0, 500]);
});

it('takes nothing from who is refused: asking again does not put it off', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10, clock);
  take(buckets, 'a', 100);
  nowMs += 1_000;
  expect(buckets.take('a')).toBe(0);
});

it('keeps names apart', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10, clock);
  expect([buckets.take('a'), buckets.take('b')]).toEqual([0, 0]);
});

it('limits nothing at a rate of 0', () => {
  const buckets = new TokenBuckets({ perSecond: 0, burst: 1 }, 10, clock);
  expect(Math.max(...take(buckets, 'a', 1_000))).toBe(0);
  expect(buckets.has('a')).toBe(true);
});

it('says whether there is a token without taking it', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10, clock);
  expect([buckets.has('a'), buckets.has('a'), buckets.take('a'), buckets.has('a')]).toEqual([true, true, 0, false]);
});

it('forgets the name that was not heard for longest, and remembers those in use', () => {
  const buckets = new TokenBuckets({ perSecond: 0.001, burst: 1 }, 2, clock);
  for (const name of ['a', 'b', 'a', 'c']) buckets.take(name);
  expect([buckets.has('a'), buckets.has('b'), buckets.has('c')]).toEqual([false, true, false]);
});
