import { type Logger, type TraceContext, currentTrace, traced } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import {
  type FactTaker,
  LEASE_MS,
  type OutboxRow,
  claimOutbox,
  finishOutbox,
  giveFactsTo,
  stopGivingFacts,
} from './inbox-outbox.js';

export interface OutboxRelayOptions {
  readonly dataSource: DataSource;
  /** Further pools of this process that write into this outbox. */
  readonly writers?: readonly DataSource[];
  readonly schema: string;
  /** Must be harmless when repeated with the same `messageId`. */
  readonly publish: (subject: string, payload: string, messageId: string) => Promise<void>;
  readonly logger: Logger;
}

const BATCH = 100;
const POLL_MS = 1_000;
/** Facts of this process that are published at once. */
const AT_ONCE = 100;
/** Those that wait for their turn; what is written beyond it is left to the polls of all replicas. */
const MAX_WAITING = 1_000;
/** One that has waited longer may be claimed by another replica before it is published: it is left to that one. */
const LONGEST_WAIT_MS = LEASE_MS / 2;
/** Rows that were published are finished together. With what publishing takes, far less than a lease. */
const FINISH_WITHIN_MS = 150;
const FINISH_AT_ONCE = 500;

const ON_NATS = { 'messaging.system': 'nats' } as const;

interface Waiting {
  readonly row: OutboxRow;
  readonly latestMs: number;
  /** The transaction that wrote it; null: it is not traced. */
  readonly trace: TraceContext | null;
}

/**
 * Publishes outbox rows. Every replica runs one. What its own process has committed is given to it, already claimed; all
 * else, also what another process left behind, it finds by a poll, and the database shares that out.
 */
export class OutboxRelay implements FactTaker {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private readonly waiting: Waiting[] = [];
  private readonly inWork = new Set<Promise<void>>();
  private published: string[] = [];
  private finishTimer: NodeJS.Timeout | undefined;
  private readonly finishing = new Set<Promise<void>>();

  constructor(private readonly options: OutboxRelayOptions) {}

  start(): void {
    this.timer = setInterval(() => this.kick(), POLL_MS);
    for (const writer of this.writers()) giveFactsTo(writer, this.options.schema, this);
    this.kick();
  }

  /** Looks for rows that nobody has claimed. */
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

  get takesMore(): boolean {
    return this.timer !== undefined && this.waiting.length < MAX_WAITING;
  }

  take(rows: readonly OutboxRow[]): void {
    const latestMs = performance.now() + LONGEST_WAIT_MS;
    const trace = currentTrace() ?? null;
    // Some transactions may have asked before the first of them committed. What does not fit, a poll finds later.
    const room = this.timer === undefined ? 0 : 2 * MAX_WAITING - this.waiting.length;
    this.waiting.push(...rows.slice(0, Math.max(0, room)).map((row) => ({ row, latestMs, trace })));
    this.pump();
  }

  /** What is in hand is published and finished. What waits is left to another replica. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    for (const writer of this.writers()) stopGivingFacts(writer, this.options.schema, this);
    this.waiting.length = 0;
    await Promise.all([this.running, ...this.inWork]);
    this.finish();
    await Promise.all(this.finishing);
  }

  private writers(): readonly DataSource[] {
    return [this.options.dataSource, ...(this.options.writers ?? [])];
  }

  private pump(): void {
    while (this.inWork.size < AT_ONCE) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      if (performance.now() > next.latestMs) continue;
      const work: Promise<void> = this.publish(next.row, next.trace).then((id) => {
        this.inWork.delete(work);
        if (id !== undefined) this.finishSoon(id);
        this.pump();
      });
      this.inWork.add(work);
    }
  }

  private finishSoon(id: string): void {
    this.published.push(id);
    if (this.published.length >= FINISH_AT_ONCE) this.finish();
    else this.finishTimer ??= setTimeout(() => this.finish(), FINISH_WITHIN_MS);
  }

  private finish(): void {
    clearTimeout(this.finishTimer);
    this.finishTimer = undefined;
    const ids = this.published;
    this.published = [];
    if (ids.length === 0) return;
    const { dataSource, schema, logger } = this.options;
    const finishing: Promise<void> = finishOutbox(dataSource, schema, ids)
      .catch((error: unknown) =>
        logger.warn({ err: error, rows: ids.length }, 'failed to finish outbox rows, they are published once more'),
      )
      .finally(() => this.finishing.delete(finishing));
    this.finishing.add(finishing);
  }

  private async drain(): Promise<void> {
    const { dataSource, schema, logger } = this.options;
    try {
      let claimed: number;
      do {
        const rows = await claimOutbox(dataSource, schema, BATCH);
        claimed = rows.length;
        const published = await Promise.all(rows.map((row) => this.publish(row, null)));
        const done = published.filter((id) => id !== undefined);
        if (done.length > 0) await finishOutbox(dataSource, schema, done);
      } while (claimed === BATCH && this.timer !== undefined);
    } catch (error) {
      logger.warn({ err: error }, 'failed to relay the outbox, trying again');
    }
  }

  /** The row's id once the bus holds it; otherwise the lease runs out and it is tried again. */
  private async publish({ id, subject, payload }: OutboxRow, trace: TraceContext | null): Promise<string | undefined> {
    try {
      await traced({ name: 'publish fact', kind: 'producer', parent: trace, attributes: ON_NATS }, () =>
        this.options.publish(subject, JSON.stringify(payload), `${this.options.schema}-${id}`),
      );
      return id;
    } catch (error) {
      this.options.logger.warn({ err: error, subject }, 'failed to publish an outbox row, trying again');
      return undefined;
    }
  }
}
