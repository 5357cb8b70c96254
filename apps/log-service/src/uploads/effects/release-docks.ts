import { releaseDockQuestion } from '@aerie/bus-contract';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import { type HoldRow, claimReleases, forgetHold } from '../store/dock-holds.js';

const BATCH = 50;

/** Gives docks back to mission-service, and asks until it has heard: a dock that nobody uses must fly again. */
export class ReleaseDocks {
  private running: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly connection: NatsConnection,
    private readonly logger: Logger,
  ) {}

  /** Some time soon. Never waits, never fails. */
  kick(): void {
    this.again = true;
    this.running ??= this.runAll().finally(() => (this.running = undefined));
  }

  private async runAll(): Promise<void> {
    while (this.again) {
      this.again = false;
      await this.run().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'failed to give docks back, trying again'),
      );
    }
  }

  /** Those that are due now. */
  async run(): Promise<void> {
    const holds = await inTransaction(this.dataSource, (tx) => claimReleases(tx, BATCH));
    await Promise.all(holds.map((hold) => this.release(hold)));
  }

  private async release(hold: HoldRow): Promise<void> {
    const { upload_id, dock_sn, generation } = hold;
    try {
      const question = { dockSn: dock_sn, holderId: upload_id, generation };
      await ask(this.connection, releaseDockQuestion, question);
      await inTransaction(this.dataSource, (tx) => forgetHold(tx, hold));
    } catch (error) {
      this.logger.warn(
        { err: error, uploadId: upload_id, dockSn: dock_sn },
        'failed to give a dock back, trying again',
      );
    }
  }
}
