/** Half the time over which the smallest difference counts. */
const HALF_MS = 30_000;

/**
 * How far a device's clock is off, seen from its messages: the smallest difference between when one was received and
 * when the device says that it sent it, over the last half to whole minute. What a message waited on its way only ever
 * adds to the difference, so the smallest is nearest to the truth.
 */
export class ClockSkew {
  private beganMs = 0;
  private current = Infinity;
  private previous = Infinity;

  add(sentAtMs: number, receivedAtMs: number): void {
    this.turn(receivedAtMs);
    this.current = Math.min(this.current, receivedAtMs - sentAtMs);
  }

  /** Milliseconds behind us; negative when ahead. Null when nothing was heard for a minute. */
  read(nowMs: number): number | null {
    this.turn(nowMs);
    const smallest = Math.min(this.current, this.previous);
    return Number.isFinite(smallest) ? smallest : null;
  }

  private turn(nowMs: number): void {
    const ageMs = nowMs - this.beganMs;
    if (ageMs < HALF_MS) return;
    this.previous = ageMs < 2 * HALF_MS ? this.current : Infinity;
    this.current = Infinity;
    this.beganMs = nowMs;
  }
}
