import { currentTrace } from '@aerie/observability';
import { type JetStreamClient, jetstream } from '@nats-io/jetstream';
import { NOT_TAKEN, isApiError } from './api-errors.js';
import type { NatsConnection } from './connection.js';
import { traceHeaders } from './trace-headers.js';

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

  /** `messageId` makes a repeat of this one store harmless for two minutes. The message names the span of now. */
  async store(subject: string, body: string | Uint8Array, messageId: string): Promise<void> {
    const trace = traceHeaders(currentTrace());
    await this.client.publish(subject, body, { msgID: messageId, timeout: this.timeoutMs, retries: 0, ...trace });
  }
}

/**
 * Whether a store failed because its stream has no room. Nothing else: a server that does not answer, or that has lost
 * the stream, may have room again in a moment.
 */
export const isStreamFull = (error: unknown): boolean =>
  isApiError(error, NOT_TAKEN) && error.message.startsWith('maximum ');
