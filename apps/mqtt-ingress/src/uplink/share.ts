/** What refills evenly, up to what may be saved up. */
export interface Refill {
  readonly saved: number;
  readonly perSecond: number;
}

/** So many messages and so many bytes; it begins full. */
export class Share {
  private messages: number;
  private bytes: number;

  constructor(
    private readonly ofMessages: Refill,
    private readonly ofBytes: Refill,
    private atMs: number,
  ) {
    this.messages = ofMessages.saved;
    this.bytes = ofBytes.saved;
  }

  /** Takes one message out, where at least this part of the whole is left behind. */
  take(bytes: number, nowMs: number, leftBehind = 0): boolean {
    const seconds = Math.max(0, nowMs - this.atMs) / 1_000;
    this.atMs = nowMs;
    this.messages = Math.min(this.ofMessages.saved, this.messages + seconds * this.ofMessages.perSecond);
    this.bytes = Math.min(this.ofBytes.saved, this.bytes + seconds * this.ofBytes.perSecond);
    if (this.messages - 1 < leftBehind * this.ofMessages.saved) return false;
    if (this.bytes - bytes < leftBehind * this.ofBytes.saved) return false;
    this.messages -= 1;
    this.bytes -= bytes;
    return true;
  }
}
