import { QUEUE_PREFIX } from '@aerie/bus-contract';
import type { Peer } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { isForbidden, redisClient, redisError } from './redis-client.js';

/** A hint to look at one row at one time. It carries no data: whoever wakes reads the row and decides anew. */
export interface Wake {
  readonly id: string;
  /** Revision of the row for which the wake was set; a newer revision has set its own. */
  readonly revision: number;
  readonly delayMs: number;
}

/**
 * Wakes that may come early, late, twice or never; PostgreSQL knows when, this only wakes. A caller never waits for
 * Redis: setting a wake neither blocks nor fails.
 */
export abstract class WakeQueue {
  abstract set(wakes: readonly Wake[]): void;
}

export interface BullWakesOptions {
  readonly redisUrl: Peer | string;
  /** Holds a version, because two versions of BullMQ must not share one queue. */
  readonly queueName: string;
  readonly concurrency: number;
  readonly onWake: (id: string, revision: number) => Promise<void>;
  readonly logger: Logger;
}

const COMMAND_TIMEOUT_MS = 500;
/** Later wakes are not worth a key in Redis: the sweeper finds those rows anyway. */
const HORIZON_MS = 15 * 60_000;

export class BullWakes extends WakeQueue {
  private readonly queue: Queue;
  private readonly worker: Worker;
  private readonly producer: Redis;
  private readonly consumer: Redis;
  private lastWarningMs = 0;
  private stopped = false;

  constructor(private readonly options: BullWakesOptions) {
    super();
    // BullMQ duplicates the connections with these options and waits for its copies: none may try for ever after a stop.
    const retryStrategy = (attempt: number): number | null => (this.stopped ? null : Math.min(attempt * 100, 2_000));
    // Without an offline queue and with a timeout, a hanging Redis costs a wake and not the caller's time.
    this.producer = redisClient(options.redisUrl, {
      enableOfflineQueue: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
      maxRetriesPerRequest: 1,
      retryStrategy,
    });
    this.consumer = redisClient(options.redisUrl, {
      maxRetriesPerRequest: null,
      retryStrategy,
    });
    for (const client of [this.producer, this.consumer]) client.on('error', (error) => this.warn(error));
    this.queue = new Queue(options.queueName, {
      connection: this.producer,
      prefix: QUEUE_PREFIX,
      skipVersionCheck: true,
    });
    this.worker = new Worker<{ id: string; revision: number }>(
      options.queueName,
      async ({ data }) => this.options.onWake(data.id, data.revision),
      {
        connection: this.consumer,
        prefix: QUEUE_PREFIX,
        autorun: false,
        concurrency: options.concurrency,
        lockDuration: 15_000,
        stalledInterval: 10_000,
        maxStalledCount: 3,
        skipVersionCheck: true,
      },
    );
    this.queue.on('error', (error) => this.warn(error));
    this.worker.on('error', (error) => this.warn(error));
  }

  start(): void {
    void this.worker.run().catch((error: unknown) => this.warn(error));
  }

  override set(wakes: readonly Wake[]): void {
    const jobs = wakes
      .filter(({ delayMs }) => delayMs <= HORIZON_MS)
      .map(({ id, revision, delayMs }) => ({
        name: 'wake',
        data: { id, revision },
        opts: {
          // The revision makes it a new job each time: an id that was used before is silently ignored.
          jobId: `${id}_${revision}`,
          delay: Math.max(0, delayMs),
          removeOnComplete: true,
          removeOnFail: true,
        },
      }));
    if (jobs.length === 0) return;
    void this.queue.addBulk(jobs).catch((error: unknown) => this.warn(error));
  }

  /** Waits for the wakes in work, at most `withinMs`, and leaves Redis. */
  async stop(withinMs: number): Promise<void> {
    await atMost(withinMs, this.worker.close());
    await atMost(COMMAND_TIMEOUT_MS, this.queue.close());
    this.stopped = true;
    this.producer.disconnect();
    this.consumer.disconnect();
  }

  /** Redis being away is no error of ours, and it would fill the log: one line every ten seconds. */
  private warn(error: unknown): void {
    const nowMs = Date.now();
    if (nowMs - this.lastWarningMs < 10_000) return;
    this.lastWarningMs = nowMs;
    if (isForbidden(error)) {
      // Nobody but a person can mend it; until then the sweeper does all the work.
      this.options.logger.error(
        { err: error },
        'Redis does not permit our user what queues need: docs/operate/peers.md',
      );
      return;
    }
    this.options.logger.warn(
      { err: redisError(error, this.options.redisUrl) },
      'Redis does not answer; the sweeper carries on',
    );
  }
}

async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, limitMs)))]);
  clearTimeout(timer);
}
