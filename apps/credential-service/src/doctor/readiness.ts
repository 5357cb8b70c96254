import type { Logger } from '@aerie/observability';
import type { RunDoctor } from './run-doctor.js';

/** A storage that is just starting, too, is waited for; then it is not asked more often than this. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Examines the storage of the deployment at start, until it is well once. From then on this service is ready for good:
 * a storage that goes away later is answered with what is remembered, and no restart would bring it back.
 */
export class Readiness {
  ready = false;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly doctor: RunDoctor,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.look(FIRST_WAIT_MS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async look(waitMs: number): Promise<void> {
    try {
      const { healthy, steps } = await this.doctor.ofDeployment();
      if (healthy) {
        this.ready = true;
        this.logger.info('the storage is well');
        return;
      }
      for (const { step, verdict, found, change } of steps) {
        if (verdict === 'failed') this.logger.warn({ step, found, change }, 'the storage cannot be used as it is');
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'failed to examine the storage');
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.look(Math.min(waitMs * 2, LONGEST_WAIT_MS));
    }, waitMs);
  }
}
