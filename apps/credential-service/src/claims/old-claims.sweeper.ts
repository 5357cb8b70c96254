import type { Logger } from '@aerie/observability';
import type { ClaimStore } from './claim.store.js';

const SWEEP_EVERY_MS = 60_000;

/** Forgets old claims, in every replica, a few at a time. */
export class OldClaimsSweeper {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly claims: Pick<ClaimStore, 'prune'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.sweeping = this.sweeping.then(() => this.sweep());
    }, SWEEP_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  private async sweep(): Promise<void> {
    try {
      await this.claims.prune();
    } catch (error) {
      this.logger.warn({ err: error }, 'old claims cannot be forgotten now');
    }
  }
}
