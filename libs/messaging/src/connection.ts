import { inboxPrefixOf } from '@aerie/bus-contract';
import { InvalidError, PEER_NAMES, Peer, tlsOptions, tlsProblem } from '@aerie/kernel';
import { type NatsConnection, PermissionViolationError, connect, createInbox, errors } from '@nats-io/transport-node';
import { type Logger, retryUntilReached } from '@aerie/observability';
import { LRUCache } from 'lru-cache';
import { gatherNatsWrites } from './gather-writes.js';
import { tlsRefusal } from './tls-refusal.js';

export type { NatsConnection };

const CONNECT_TIMEOUT_MS = 5_000;

/** Options for a connection that waits for its server for ever: a service outlives any outage of NATS. */
export function natsOptions(address: Peer | string, name: string) {
  const peer = Peer.at(address);
  const tls = tlsOptions(peer);
  return {
    servers: [new URL(peer.url).host],
    user: peer.user,
    pass: peer.password,
    // Without it the client takes what the server offers. With it, it sends nothing to one that offers no TLS.
    ...(tls === undefined ? {} : { tls }),
    name,
    // Answers come where no other program may listen.
    inboxPrefix: inboxPrefixOf(name),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    waitOnFirstConnect: true,
    // Of one attempt. A frozen server takes connections and stays silent.
    timeout: CONNECT_TIMEOUT_MS,
    // A dead peer is noticed after two missed pings.
    pingInterval: 5_000,
    maxPingOut: 2,
    // Otherwise a stack trace is taken for each request and publish, in case it fails.
    noAsyncTraces: true,
  };
}

/** @throws InvalidError that names the setting, when waiting would change nothing */
export async function connectNats(
  address: Peer | string,
  name: string,
  logger: Logger,
  { streamReplicas = 1 }: { readonly streamReplicas?: number } = {},
): Promise<NatsConnection> {
  gatherNatsWrites();
  const peer = Peer.at(address);
  const connection = await retryUntilReached({
    what: 'NATS',
    logger,
    attempt: () =>
      // The client would repeat by itself for ever whatever the error is, also one that only a person can mend.
      connect({ ...natsOptions(peer, name), waitOnFirstConnect: false }).catch(async (error: unknown) => {
        throw (await refusalOf(error, peer)) ?? error;
      }),
    isPassing: (error) => !(error instanceof InvalidError || error instanceof errors.AuthorizationError),
  });
  replicas.set(connection, streamReplicas);
  inboxPrefixes.set(connection, inboxPrefixOf(name));
  void logStatus(connection, logger);
  // It gives up for good only when the server refuses our credentials again and again: better to end than to be half
  // dead. The rejection ends the process, and the supervisor starts it anew.
  void connection.closed().then((error) => {
    if (error) throw new Error('the connection to NATS is closed for good', { cause: error });
  });
  return connection;
}

const replicas = new WeakMap<NatsConnection, number>();

/** How many servers of the cluster keep each stream, as the settings of this program want it. */
export const streamReplicasOf = (connection: NatsConnection): number => replicas.get(connection) ?? 1;

const inboxPrefixes = new WeakMap<NatsConnection, string>();

/** A subject for answers to this connection, which no other program may listen to. */
export const newInbox = (connection: NatsConnection): string => createInbox(inboxPrefixes.get(connection));

/** The server's word, in an error or among its causes, that our user may not do this. */
export function forbiddenIn(error: unknown): PermissionViolationError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof PermissionViolationError) return each;
  }
  return undefined;
}

async function refusalOf(error: unknown, peer: Peer): Promise<InvalidError | undefined> {
  if (peer.tls === undefined) return undefined;
  return tlsProblem(error, peer, PEER_NAMES.nats) ?? tlsProblem(await tlsRefusal(peer), peer, PEER_NAMES.nats);
}

/** A program that is refused something repeats it, and a line a minute for each subject says all. */
const FORBIDDEN_SAID_FOR_MS = 60_000;
const FORBIDDEN_REMEMBERED = 1_000;

async function logStatus(connection: NatsConnection, logger: Logger): Promise<void> {
  const said = new LRUCache<string, true>({ max: FORBIDDEN_REMEMBERED, ttl: FORBIDDEN_SAID_FOR_MS });
  for await (const status of connection.status()) {
    if (status.type === 'disconnect' || status.type === 'staleConnection') logger.warn('lost NATS, reconnecting');
    if (status.type === 'reconnect') logger.info('reconnected to NATS');
    if (status.type !== 'error') continue;
    const forbidden = forbiddenIn(status.error);
    if (forbidden === undefined) {
      logger.warn({ err: status.error }, 'NATS reported an error');
      continue;
    }
    const { operation, subject } = forbidden;
    const key = `${operation} ${subject}`;
    if (said.has(key)) continue;
    said.set(key, true);
    // Nobody but a person can mend it, and until then a part of this program does nothing.
    logger.error(
      { operation, subject },
      'NATS does not permit our user what this program needs: docs/operate/peers.md',
    );
  }
}
