/** Pauses before the attempts to start a program again; the last one is repeated for ever. */
const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** A program that ran for so long was well; one that ends sooner is started again more slowly each time. */
const WELL_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 200;

export interface Supervised<Name extends string> {
  readonly names: () => readonly Name[];
  readonly isRunning: (name: Name) => boolean;
  /** Resolves once it is ready; rejects when it ended before, or when `signal` says that nobody waits any more. */
  readonly restart: (name: Name, signal: AbortSignal) => Promise<void>;
  /** For the screen and for the log. */
  readonly say: (text: string) => void;
  /** A program was started again, so it has another pid. */
  readonly onRestarted: () => void;
}

/** Starts programs again that have ended by themselves, with back-off and for ever, as Kubernetes would. */
export class Supervisor<Name extends string> {
  private readonly restarting = new Map<Name, Promise<void>>();
  private readonly failures = new Map<Name, number>();
  private readonly upSinceMs = new Map<Name, number>();
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly supervised: Supervised<Name>,
    private readonly pausesMs: readonly number[] = PAUSES_MS,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** Starts nothing any more; resolves when no restart is under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopped.abort();
    await Promise.all(this.restarting.values());
  }

  private look(): void {
    for (const name of this.supervised.names()) {
      if (this.restarting.has(name) || this.supervised.isRunning(name)) continue;
      this.supervised.say(`${name} has ended; starting it again`);
      const restarting = this.restartUntilUp(name).finally(() => this.restarting.delete(name));
      this.restarting.set(name, restarting);
    }
  }

  /** Never rejects. */
  private async restartUntilUp(name: Name): Promise<void> {
    const { restart, say, onRestarted } = this.supervised;
    if (Date.now() - (this.upSinceMs.get(name) ?? 0) > WELL_AFTER_MS) this.failures.delete(name);
    for (;;) {
      const failures = this.failures.get(name) ?? 0;
      this.failures.set(name, failures + 1);
      await this.pause(this.pauseAfter(failures));
      if (this.stopped.signal.aborted) return;
      try {
        await restart(name, this.stopped.signal);
        this.upSinceMs.set(name, Date.now());
        say(`${name} is up again`);
        onRestarted();
        return;
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        const seconds = this.pauseAfter(failures + 1) / 1_000;
        say(`failed to start ${name} again, next attempt in ${seconds} s: ${messageOf(error)}`);
      }
    }
  }

  private pauseAfter(failures: number): number {
    return this.pausesMs[Math.min(failures, this.pausesMs.length - 1)] ?? 0;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.stopped.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
