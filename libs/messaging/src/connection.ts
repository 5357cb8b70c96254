import { type NatsConnection, connect } from '@nats-io/transport-node';
import { type Logger, sayWhileAwaited } from '@aerie/observability';
import { gatherNatsWrites } from './gather-writes.js';

export type { NatsConnection };

export interface NatsAddress {
  readonly server: string;
  readonly user: string;
  readonly pass: string;
}

/** Reads `nats://user:password@host:port`; the client library wants the parts. */
export function natsAddress(url: string): NatsAddress {
  const { host, username, password } = new URL(url);
  return { server: host, user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}

/** Options for a connection that waits for its server for ever: a service outlives any outage of NATS. */
export function natsOptions(url: string, name: string) {
  const { server, user, pass } = natsAddress(url);
  return {
    servers: [server],
    user,
    pass,
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    waitOnFirstConnect: true,
    // A dead peer is noticed after two missed pings.
    pingInterval: 5_000,
    maxPingOut: 2,
    // Otherwise a stack trace is taken for each request and publish, in case it fails.
    noAsyncTraces: true,
  };
}

export async function connectNats(url: string, name: string, logger: Logger): Promise<NatsConnection> {
  gatherNatsWrites();
  const connection = await sayWhileAwaited('NATS', logger, () => connect(natsOptions(url, name)));
  void logStatus(connection, logger);
  // It gives up for good only when the server refuses our credentials again and again: better to end than to be half
  // dead. The rejection ends the process, and the supervisor starts it anew.
  void connection.closed().then((error) => {
    if (error) throw new Error('the connection to NATS is closed for good', { cause: error });
  });
  return connection;
}

async function logStatus(connection: NatsConnection, logger: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect' || status.type === 'staleConnection') logger.warn('lost NATS, reconnecting');
    if (status.type === 'reconnect') logger.info('reconnected to NATS');
    if (status.type === 'error') logger.warn({ err: status.error }, 'NATS reported an error');
  }
}
