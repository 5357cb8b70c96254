import { type JetStreamClient, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from './connection.js';

/** Stores messages in JetStream. A resolved `store` means that the server holds the message. */
export class JetStreamPublisher {
  private readonly client: JetStreamClient;

  constructor(
    connection: NatsConnection,
    /** How long to wait for the server's word. After that the outcome is unknown; repeat with the same id. */
    private readonly timeoutMs: number,
  ) {
    this.client = jetstream(connection);
  }

  /** `messageId` makes a repeat of this one store harmless for two minutes. */
  async store(subject: string, body: string | Uint8Array, messageId: string): Promise<void> {
    await this.client.publish(subject, body, { msgID: messageId, timeout: this.timeoutMs, retries: 0 });
  }
}
