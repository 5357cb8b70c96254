/** What callers are told whose request was cut by a planned stop, over HTTP, gRPC and NATS alike. */
export const STOPPING_CODE = 'stopping';
export const MAY_HAVE_BEEN_DONE =
  'this replica stopped before it could answer, and the request may have been done: read what became of it, or send it ' +
  'again with the same Idempotency-Key';
export const NOT_ANSWERED = 'this replica stopped before it could answer; ask again';

/** Calls that are open, of one transport. */
export class OpenCalls<Call> {
  private readonly open = new Set<Call>();
  private noneLeft = (): void => undefined;

  add(call: Call): void {
    this.open.add(call);
  }

  delete(call: Call): void {
    this.open.delete(call);
    if (this.open.size === 0) this.noneLeft();
  }

  [Symbol.iterator](): Iterator<Call> {
    return [...this.open][Symbol.iterator]();
  }

  /** Waits until all have ended, at most `withinMs`; then `refuse` answers each that is left. */
  async end(withinMs: number, refuse: (call: Call) => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (this.open.size > 0) {
      await Promise.race([
        new Promise<void>((resolve) => (this.noneLeft = resolve)),
        new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs))),
      ]);
    }
    clearTimeout(timer);
    for (const call of this) refuse(call);
  }
}
