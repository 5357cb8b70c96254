import { type ConsumerSpec, RETIRED_CONSUMERS } from '@aerie/bus-contract';
import { type ConsumerInfo, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { CONSUMER_NOT_FOUND, isApiError } from './api-errors.js';
import type { NatsConnection } from './connection.js';

const LOOK_EVERY_MS = 100;

type Durable = Pick<ConsumerSpec, 'stream' | 'durable'>;

/** What consumers have not handled yet. */
export class Backlog {
  private manager: Promise<JetStreamManager> | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly consumers: readonly Durable[],
  ) {}

  /**
   * Waits until every message that was stored before this call has been acknowledged, by all of the consumers. False
   * when that does not happen in time, or when nobody can say.
   */
  async handledUntilNow(withinMs: number): Promise<boolean> {
    const endsAtMs = Date.now() + withinMs;
    try {
      const handled = await Promise.all(this.consumers.map((durable) => this.isHandledOrGone(durable, endsAtMs)));
      return handled.every(Boolean);
    } catch {
      // A JetStream that does not answer may hold anything.
      return false;
    }
  }

  /** A retired consumer is deleted once it was read empty; that one of the others is missing says nothing. */
  private async isHandledOrGone(durable: Durable, endsAtMs: number): Promise<boolean> {
    try {
      return await this.isHandled(durable, endsAtMs);
    } catch (error) {
      if (isRetired(durable) && isApiError(error, CONSUMER_NOT_FOUND)) return true;
      throw error;
    }
  }

  private async isHandled(durable: Durable, endsAtMs: number): Promise<boolean> {
    const { delivered, num_pending } = await this.info(durable);
    const target = delivered.consumer_seq + num_pending;
    for (;;) {
      const { ack_floor, num_pending: pending, num_ack_pending } = await this.info(durable);
      // With nothing in work the floor may still stand before messages that were delivered twice.
      if (ack_floor.consumer_seq >= target || pending + num_ack_pending === 0) return true;
      if (Date.now() >= endsAtMs) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  private async info({ stream, durable }: Durable): Promise<ConsumerInfo> {
    this.manager ??= jetstreamManager(this.connection, { checkAPI: false });
    return (await this.manager).consumers.info(stream, durable);
  }
}

const isRetired = ({ stream, durable }: Durable): boolean =>
  RETIRED_CONSUMERS.some((retired) => retired.stream === stream && retired.durable === durable);
