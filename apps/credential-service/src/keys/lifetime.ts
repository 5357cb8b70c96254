/** No role gives less. [AWS STS, AssumeRole, DurationSeconds] Docks that a file keeps busy for an hour are common. */
const LEAST_SECONDS = 3_600;
/** What an uplink over 4G does on a bad day. */
const SLOW_BYTES_PER_SECOND = 250_000;
/** One file may be tried again. */
const TIMES = 2;

/**
 * How long keys for so many bytes live, seconds: twice what a slow uplink takes, in whole hours, so that uploads of
 * about one size share their keys; never more than the role allows.
 */
export function lifetimeFor(sizeBytes: number, mostSeconds: number): number {
  const neededSeconds = (sizeBytes / SLOW_BYTES_PER_SECOND) * TIMES;
  const hours = Math.ceil(neededSeconds / 3_600);
  return Math.min(Math.max(hours * 3_600, LEAST_SECONDS), mostSeconds);
}
