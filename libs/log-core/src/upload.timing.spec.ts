import { MINUTE_MS, NOON, aFile, anUpload, listed } from './fixtures/uploads.js';
import { DEFAULT_TIMING, askAgainAtMs, exportTakesMs, neededMs, wantedBytes } from './upload.timing.js';

const OVERHEAD_MS = 3 * MINUTE_MS;
const files = (expectedBytes: number) => [aFile({ expectedBytes })];

describe('the estimate of an export', () => {
  it('is the upload at the assumed rate, and what is around it', () => {
    expect(exportTakesMs(files(25_000_000), DEFAULT_TIMING)).toBe(100_000 + OVERHEAD_MS);
  });

  it('counts only what is not stored yet', () => {
    expect(wantedBytes([aFile(), aFile({ state: 'stored' }), aFile({ state: 'unavailable' })])).toBe(1_000_000);
  });

  it('is six hours at most', () => {
    expect(exportTakesMs(files(1e12), DEFAULT_TIMING)).toBe(6 * 60 * MINUTE_MS);
  });
});

describe('the time for which a dock is asked for', () => {
  it('is the estimate before the start', () => {
    expect(neededMs(listed({ files: files(25_000_000) }), NOON, DEFAULT_TIMING)).toBe(100_000 + OVERHEAD_MS);
  });

  it('is not shorter because an attempt before this one had no time left', () => {
    const upload = listed({ files: files(250_000_000), attemptEndsByMs: NOON });
    expect(neededMs(upload, NOON, DEFAULT_TIMING)).toBe(1_000_000 + OVERHEAD_MS);
  });

  it('is no longer than the attempt may last', () => {
    const upload = anUpload({ files: files(250_000_000), attemptEndsByMs: NOON + 5 * MINUTE_MS });
    expect(neededMs(upload, NOON, DEFAULT_TIMING)).toBe(5 * MINUTE_MS);
  });

  it('is long enough to be asked for again in time', () => {
    const upload = anUpload({ attemptEndsByMs: NOON + 1_000 });
    expect(neededMs(upload, NOON, DEFAULT_TIMING)).toBe(45_000 + OVERHEAD_MS);
  });
});

describe('a dock that could not be had', () => {
  it.each([
    [1, 15_000],
    [2, 30_000],
    [3, 60_000],
    [7, 600_000],
    [50, 600_000],
  ])('is asked for again, the %ith time in a row, after %i ms', (heldCount, waitMs) => {
    expect(askAgainAtMs(heldCount, null, NOON, DEFAULT_TIMING)).toBe(NOON + waitMs);
  });

  it('is asked for when it is planned to be free', () => {
    expect(askAgainAtMs(1, NOON + 2 * MINUTE_MS, NOON, DEFAULT_TIMING)).toBe(NOON + 2 * MINUTE_MS);
  });

  it('is asked for sooner than it is planned to be free, because missions end early', () => {
    expect(askAgainAtMs(1, NOON + 60 * MINUTE_MS, NOON, DEFAULT_TIMING)).toBe(NOON + 10 * MINUTE_MS);
  });

  it.each([NOON, NOON - 1])('is not asked for at once because it should be free already', (freeAtMs) => {
    expect(askAgainAtMs(1, freeAtMs, NOON, DEFAULT_TIMING)).toBe(NOON + 15_000);
  });
});
