import type { Logger } from '@aerie/observability';

const PERIOD_MS = 1_000;
/** So that the replicas do not all look at the same instant. */
const JITTER = 0.2;

/** Something that is looked for each second, or less often. */
export interface Chore {
  readonly name: string;
  readonly everySweeps: number;
  readonly run: () => Promise<unknown>;
}

/** Finds, at its own times, what no wake has found. Takes no input: whatever was lost, this is the way it comes back. */
export class OverdueSweeper {
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private sweeps = 0;

  constructor(
    private readonly chore: Chore,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.loop();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      const startedMs = Date.now();
      this.sweeps++;
      const { name, everySweeps, run } = this.chore;
      if (this.sweeps % everySweeps === 0) {
        await run().catch((error: unknown) =>
          this.logger.warn({ err: error, chore: name }, 'a sweep failed, trying again'),
        );
      }
      const periodMs = PERIOD_MS * (1 + JITTER * (Math.random() * 2 - 1));
      await new Promise((resolve) => setTimeout(resolve, Math.max(50, periodMs - (Date.now() - startedMs))));
    }
  }
}
