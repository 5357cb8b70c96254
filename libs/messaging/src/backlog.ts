import type { ConsumerSpec } from '@aerie/bus-contract';
import { type ConsumerInfo, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from './connection.js';

const LOOK_EVERY_MS = 100;

/** What a consumer has not handled yet. */
export class Backlog {
  constructor(
    private readonly connection: NatsConnection,
    private readonly spec: Pick<ConsumerSpec, 'stream' | 'durable'>,
  ) {}

  /**
   * Waits until every message that was stored before this call has been acknowledged. False when that does not happen
   * in time, or when nobody can say.
   */
  async handledUntilNow(withinMs: number): Promise<boolean> {
    const startedMs = Date.now();
    try {
      const { delivered, num_pending } = await this.info();
      const target = delivered.consumer_seq + num_pending;
      for (;;) {
        const { ack_floor, num_pending: pending, num_ack_pending } = await this.info();
        // With nothing in work the floor may still stand before messages that were delivered twice.
        if (ack_floor.consumer_seq >= target || pending + num_ack_pending === 0) return true;
        if (Date.now() - startedMs >= withinMs) return false;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    } catch {
      // A JetStream that does not answer may hold anything.
      return false;
    }
  }

  private async info(): Promise<ConsumerInfo> {
    const manager = await jetstreamManager(this.connection);
    return manager.consumers.info(this.spec.stream, this.spec.durable);
  }
}
