import type { Logger } from '@aerie/observability';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { RepeatCalls } from '../effects/repeat-calls.js';
import type { DueRunner } from './due-runner.js';

const PERIOD_MS = 1_000;
/** So that the replicas do not all look at the same instant. */
const JITTER = 0.2;
const PRUNE_EVERY_SWEEPS = 3_600;
/** The store is in order, only time is short: so many rounds in a row, then the next sweep goes on. */
const MAX_ROUNDS = 50;

/** Finds, each second, what no wake has found. Takes no input: whatever was lost, this is the way it comes back. */
export class OverdueSweeper {
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private sweeps = 0;

  constructor(
    private readonly dueRunner: DueRunner,
    private readonly repeatCalls: RepeatCalls,
    private readonly dataSource: DataSource,
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
      await this.sweep().catch((error: unknown) => this.logger.warn({ err: error }, 'a sweep failed, trying again'));
      const periodMs = PERIOD_MS * (1 + JITTER * (Math.random() * 2 - 1));
      await new Promise((resolve) => setTimeout(resolve, Math.max(50, periodMs - (Date.now() - startedMs))));
    }
  }

  private async sweep(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !this.stopped; round++) {
      if ((await this.dueRunner.run(null)) === 0) break;
    }
    await this.repeatCalls.run();
    if (++this.sweeps % PRUNE_EVERY_SWEEPS === 0) await this.prune();
  }

  /** Idempotency keys are kept for a week; callers repeat within minutes. */
  private async prune(): Promise<void> {
    await inTransaction(this.dataSource, (tx) =>
      tx.run(
        `DELETE FROM mission.idempotency_key WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM mission.idempotency_key WHERE created_at < now() - interval '7 days' LIMIT 1000))`,
      ),
    );
  }
}
