import { PassThrough, type Readable } from 'node:stream';
import net, { type Socket } from 'node:net';
import { PEER_NAMES, Peer, gatherWrites, tlsOptions, tlsProblem } from '@aerie/kernel';
import type { Connack } from '@aerie/service-host';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { AcknowledgeInOrder } from './acknowledge-in-order.js';

export interface BrokerLogin {
  readonly broker: Peer | string;
  readonly username: string;
  readonly password: string;
  readonly keepaliveSeconds: number;
}

export interface EndOfMessage {
  /** Lets its PUBACK go, once the PUBACKs of all that came before have gone. */
  readonly acknowledge: () => void;
  /** Cuts the connection: the broker gives this one out again, and all behind it. */
  readonly giveUp: () => void;
}

export interface SessionOptions {
  readonly login: BrokerLogin;
  readonly clientId: string;
  /** Seconds that the broker keeps the session of a client that is gone; 0 ends it with the connection. */
  readonly sessionExpirySeconds: number;
  /** Called once connected, with what the broker grants. */
  readonly onGranted?: (connack: Connack) => void;
  /** Called for each PUBLISH, with at most `inWork` of them at a time. Each is ended by one of the two calls. */
  readonly onMessage?: (packet: IPublishPacket, end: EndOfMessage) => void;
  /** 1 to `RECEIVE_MAXIMUM`. Default: one. */
  readonly inWork?: number;
  /** Lets `throwAway` end it, which is done as well when the broker owes a PINGRESP. */
  readonly mayBeThrownAway?: boolean;
}

/** So many messages the broker sends without a PUBACK. [MQTT5-3.1.2.11.3] */
export const RECEIVE_MAXIMUM = 100;

/**
 * A store that keeps nothing. mqtt.js would otherwise send an unacknowledged publish again after it reconnects: a
 * second execute, and a late one.
 */
class NoResendStore {
  put(_packet: unknown, callback: (error?: Error) => void): this {
    callback();
    return this;
  }
  createStream(): Readable {
    return new PassThrough({ objectMode: true }).end();
  }
  del(packet: unknown, callback: (error?: Error, packet?: never) => void): this {
    callback(undefined, packet as never);
    return this;
  }
  get(packet: unknown, callback: (error?: Error, packet?: never) => void): this {
    callback(undefined, packet as never);
    return this;
  }
  close(callback: (error?: Error) => void): void {
    callback();
  }
}

/** How long CONNECT may take. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Opens one connection, once: whoever wants another opens another, with a client of its own. So nothing of an old
 * connection, above all no PUBACK that was still owed, can leak into a new one.
 */
export function openSession(options: SessionOptions): Promise<MqttClient> {
  const { login, sessionExpirySeconds, onMessage } = options;
  const broker = Peer.at(login.broker);
  const clientOptions: IClientOptions = {
    ...tlsOptions(broker),
    protocolVersion: 5,
    clientId: options.clientId,
    username: login.username,
    password: login.password,
    keepalive: login.keepaliveSeconds,
    clean: sessionExpirySeconds === 0,
    properties: { sessionExpiryInterval: sessionExpirySeconds, receiveMaximum: RECEIVE_MAXIMUM },
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // Otherwise each packet asks the debug library several times whether anybody wants to read of it.
    log: () => undefined,
    // The type asks for the stream class of another package, which mqtt.js itself treats like Node's.
    outgoingStore: new NoResendStore() as never,
    incomingStore: new NoResendStore() as never,
  };
  const own = options.mayBeThrownAway === true && broker.tls !== undefined ? plainConnection(broker) : undefined;
  const client = mqtt.connect(
    broker.url,
    own === undefined ? clientOptions : Object.assign(clientOptions, { socket: own }),
  );
  if (own !== undefined) belowTls.set(client, own);
  // It would end the connection in the ordinary way, and what was written would arrive all the same.
  if (options.mayBeThrownAway === true) client.onKeepaliveTimeout = () => throwAway(client);
  if (onMessage) handleSeveral(client, onMessage, options.inWork ?? 1);
  return new Promise((resolve, reject) => {
    client.once('connect', ({ properties }) => {
      options.onGranted?.(properties ?? {});
      client.removeListener('error', reject);
      client.removeListener('close', closed);
      // Without listeners an error would end the process; what follows from it arrives as `close`.
      client.on('error', () => undefined);
      // mqtt.js does not set it, and Nagle's algorithm would hold each small packet back for an acknowledgement.
      (client.stream as unknown as Partial<Socket>).setNoDelay?.(true);
      resolve(client);
    });
    const closed = (): void => {
      client.end(true);
      reject(new Error('the broker closed the connection'));
    };
    client.once('error', (error) => {
      client.on('error', () => undefined);
      // First: the end may close it at once, and that is no reason.
      reject(tlsProblem(error, broker, PEER_NAMES.broker) ?? error);
      client.end(true);
    });
    client.once('close', closed);
  });
}

/** mqtt.js reads the next packet when its handler calls back; with an error it does not send a PUBACK of its own. */
const NO_PUBACK = new Error('its PUBACK is sent in its turn');

function handleSeveral(client: MqttClient, onMessage: Required<SessionOptions>['onMessage'], atMost: number): void {
  let readOn: (() => void) | undefined;
  let acknowledgements: AcknowledgeInOrder | undefined;
  const inOrderTo = (stream: MqttClient['stream']): AcknowledgeInOrder => {
    gatherWrites(stream);
    return new AcknowledgeInOrder(stream, () => {
      const next = readOn;
      readOn = undefined;
      next?.();
    });
  };
  client.handleMessage = (packet, done) => {
    // Of a connection that was cut nothing more is taken: it comes again, behind what is not acknowledged.
    if (client.stream.destroyed) return;
    acknowledgements ??= inOrderTo(client.stream);
    const acknowledge = acknowledgements.add(packet.qos === 0 ? undefined : packet.messageId);
    const next = (): void => done(NO_PUBACK);
    if (acknowledgements.inWork >= atMost) readOn = next;
    onMessage(packet, { acknowledge, giveUp: () => cutSession(client) });
    if (readOn === undefined) next();
  };
}

/** TCP connections that carry TLS. Node resets no connection of TLS itself. */
const belowTls = new WeakMap<MqttClient, Socket>();

const TLS_PORT = 8883;

function plainConnection(broker: Peer): Socket {
  const port = new URL(broker.url).port;
  return net.connect({ host: broker.host, port: port === '' ? TLS_PORT : Number(port) });
}

/**
 * Ends a connection together with what was written to it and has not arrived. After an ordinary end the kernel goes on
 * sending for a minute or longer, and a command would arrive as soon as packets get through again.
 */
export function throwAway(client: MqttClient): void {
  const connection = belowTls.get(client) ?? (client.stream as unknown as Socket);
  connection.resetAndDestroy();
  client.end(true);
}

/** Cuts a connection without DISCONNECT and without PUBACKs that are still owed; the broker keeps the session. */
export function cutSession(client: MqttClient): void {
  client.stream.destroy();
  client.end(true);
}
