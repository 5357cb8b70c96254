import type { Logger } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { claimOutbox, finishOutbox } from './inbox-outbox.js';

export interface OutboxRelayOptions {
  readonly dataSource: DataSource;
  readonly schema: string;
  /** Must be harmless when repeated with the same `messageId`. */
  readonly publish: (subject: string, payload: string, messageId: string) => Promise<void>;
  readonly logger: Logger;
}

const BATCH = 100;
const POLL_MS = 1_000;

/** Publishes outbox rows. Every replica runs one; the rows are shared out by the database. */
export class OutboxRelay {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;

  constructor(private readonly options: OutboxRelayOptions) {}

  start(): void {
    this.timer = setInterval(() => this.kick(), POLL_MS);
    this.kick();
  }

  /** Call right after a commit: most rows then leave within milliseconds. */
  kick(): void {
    if (this.running !== undefined) {
      this.again = true;
      return;
    }
    this.running = this.drain().finally(() => {
      this.running = undefined;
      if (this.again && this.timer !== undefined) {
        this.again = false;
        this.kick();
      }
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private async drain(): Promise<void> {
    const { dataSource, schema, logger } = this.options;
    try {
      let claimed: number;
      do {
        const rows = await claimOutbox(dataSource, schema, BATCH);
        claimed = rows.length;
        const published = await Promise.all(rows.map((row) => this.publish(row)));
        const done = published.filter((id) => id !== undefined);
        if (done.length > 0) await finishOutbox(dataSource, schema, done);
      } while (claimed === BATCH && this.timer !== undefined);
    } catch (error) {
      logger.warn({ err: error }, 'failed to relay the outbox, trying again');
    }
  }

  /** The row's id once the bus holds it; otherwise the lease runs out and it is tried again. */
  private async publish({ id, subject, payload }: { id: string; subject: string; payload: unknown }) {
    try {
      await this.options.publish(subject, JSON.stringify(payload), `${this.options.schema}-${id}`);
      return id;
    } catch (error) {
      this.options.logger.warn({ err: error, subject }, 'failed to publish an outbox row, trying again');
      return undefined;
    }
  }
}
