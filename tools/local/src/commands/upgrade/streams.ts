import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

export interface StreamFigures {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
  /** Of its limit. */
  readonly percent: number;
  /** What each of its consumers has not read, or not acknowledged. */
  readonly waiting: Readonly<Record<string, number>>;
}

/** What lies in JetStream, by the server's own word. */
export async function streamFigures(url: string): Promise<StreamFigures[]> {
  const { username, password, host } = new URL(url);
  const connection = await connect({ servers: [host], user: username, pass: password });
  try {
    const manager = await jetstreamManager(connection);
    const figures: StreamFigures[] = [];
    for await (const { config, state } of manager.streams.list()) {
      const waiting: Record<string, number> = {};
      for await (const consumer of manager.consumers.list(config.name)) {
        waiting[consumer.name] = consumer.num_pending + consumer.num_ack_pending;
      }
      const percent = Math.ceil((100 * state.bytes) / config.max_bytes);
      figures.push({ name: config.name, messages: state.messages, bytes: state.bytes, percent, waiting });
    }
    return figures;
  } finally {
    await connection.close();
  }
}
