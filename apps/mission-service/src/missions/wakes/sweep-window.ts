/** A transaction that began before a look and ends later than this after it is found by the next look at everything. */
const SEEN_LATE_MS = 5_000;
const EVERYTHING_EVERY_MS = 60_000;

/**
 * How far back a sweep has to look. What was due by a look that found nothing needs no second look; and each look back goes
 * through the versions of rows that were due once, which stay for as long as a transaction is held open anywhere.
 *
 * INVARIANTS: what was found, or not looked for because a look failed, stays within until a look has found nothing. Once a
 * minute all of it is looked at, whatever was found.
 */
export class SweepWindow {
  private emptyAtMs: number | null = null;
  private everythingAtMs = 0;

  /** For a look that begins now: how far back, milliseconds. Null: all that is due. */
  backMs(nowMs: number): number | null {
    if (this.emptyAtMs === null || nowMs - this.everythingAtMs >= EVERYTHING_EVERY_MS) return null;
    return nowMs - this.emptyAtMs + SEEN_LATE_MS;
  }

  /** A look that began then, and how far back, has found nothing. */
  foundNothing(beganAtMs: number, backMs: number | null): void {
    this.emptyAtMs = Math.max(this.emptyAtMs ?? 0, beganAtMs);
    if (backMs === null) this.everythingAtMs = beganAtMs;
  }
}
