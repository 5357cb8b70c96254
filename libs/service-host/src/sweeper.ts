import { setTimeout } from 'node:timers/promises';
import type { Logger } from '@aerie/observability';

/** So that the replicas do not all look at the same instant. */
const JITTER = 0.2;
/** Between two looks of which one takes longer than its period. */
const SHORTEST_MS = 50;

/** Something that is looked for again and again. */
export interface Chore {
  readonly name: string;
  readonly everyMs: number;
  /** `stopping` is aborted when the service stops: a look of many rounds ends after the present one. */
  readonly run: (stopping: AbortSignal) => Promise<unknown>;
}

/**
 * Finds, at its own times, what no wake has found. Takes no input: whatever was lost, this is the way it comes back. One
 * look ends before the next begins, and a chore keeps no other one waiting.
 */
export class Sweeper {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  /** When the last look began that went well; before the first one, when it was started. */
  private goodSinceMs: number | undefined;

  constructor(
    private readonly chore: Chore,
    private readonly logger: Logger,
  ) {}

  get name(): string {
    return this.chore.name;
  }

  /** How long it has been overdue. A look that takes long is late as much as one that fails. */
  behindMs(): number {
    if (this.goodSinceMs === undefined) return 0;
    return Math.max(0, Date.now() - this.goodSinceMs - this.chore.everyMs * (1 + JITTER) - SHORTEST_MS);
  }

  start(): void {
    this.goodSinceMs = Date.now();
    this.running = this.loop();
  }

  /** Until the look that is under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopping;
    const { name, everyMs, run } = this.chore;
    while (!signal.aborted) {
      const startedMs = Date.now();
      try {
        await run(signal);
        this.goodSinceMs = startedMs;
      } catch (error) {
        this.logger.warn({ err: error, chore: name }, 'a sweep failed, trying again');
      }
      const periodMs = everyMs * (1 + JITTER * (Math.random() * 2 - 1));
      const pauseMs = Math.max(SHORTEST_MS, periodMs - (Date.now() - startedMs));
      await setTimeout(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
