/** How much memory a program holds, over time. */
export interface Trend {
  readonly meanBytes: number;
  /** The slope over the whole time; less than nothing where it shrinks. */
  readonly growthBytes: number;
  readonly bytesPerMinute: number;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

const MS_PER_MINUTE = 60_000;

/**
 * The line through the least of each minute, by least squares: between two collections of garbage a program holds more, and
 * what grows for good lifts the least too.
 */
export function trendOf(samples: readonly Sample[]): Trend {
  const leastByMinute = new Map<number, number>();
  for (const { atMs, bytes } of samples) {
    const minute = Math.floor(atMs / MS_PER_MINUTE);
    leastByMinute.set(minute, Math.min(bytes, leastByMinute.get(minute) ?? Infinity));
  }
  const points = [...leastByMinute];
  const meanMinute = meanOf(points.map(([minute]) => minute));
  const meanBytes = meanOf(points.map(([, bytes]) => bytes));
  const spread = points.reduce((sum, [minute]) => sum + (minute - meanMinute) ** 2, 0);
  const together = points.reduce((sum, [minute, bytes]) => sum + (minute - meanMinute) * (bytes - meanBytes), 0);
  const bytesPerMinute = spread === 0 ? 0 : together / spread;
  return { meanBytes, bytesPerMinute, growthBytes: bytesPerMinute * Math.max(0, points.length - 1) };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
