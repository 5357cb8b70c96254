import { CONSUMERS, STREAMS } from '@aerie/bus-contract';
import type { Metrics } from '@aerie/observability';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from './connection.js';

/** How full streams are and what their consumers have not handled. The same from every replica that shows it. */
export function showStreams(metrics: Metrics, connection: NatsConnection): void {
  const manager = () => jetstreamManager(connection, { checkAPI: false });
  metrics.askedGauges(
    'stream_full_ratio',
    'Bytes in a stream, of those that fit. A full stream takes no messages of docks. The same from every ingress: take the maximum.',
    'stream',
    async () => {
      const { streams } = await manager();
      return Promise.all(
        STREAMS.map(async ({ name }) => {
          const { state, config } = await streams.info(name);
          return [name, state.bytes / config.max_bytes] as const;
        }),
      );
    },
  );
  metrics.askedGauges(
    'consumer_unhandled_messages',
    'Messages that a consumer has not handled. The same from every ingress: take the maximum.',
    'consumer',
    async () => {
      const { consumers } = await manager();
      return Promise.all(
        CONSUMERS.map(async ({ stream, durable }) => {
          const { num_pending, num_ack_pending } = await consumers.info(stream, durable);
          return [durable, num_pending + num_ack_pending] as const;
        }),
      );
    },
  );
}
