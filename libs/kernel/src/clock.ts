/** Where a program reads the time. Decisions take a time as a parameter; only edges hold a clock. */
export interface Clock {
  /** Milliseconds since the epoch by this machine's wall clock. */
  nowMs(): number;
}
