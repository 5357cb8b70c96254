import type { Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import type { DockContext } from './context.js';
import { compose, subscriptionsOf, topics } from './wire.js';

export interface LinkListener {
  onConnected(): void;
  onDisconnected(): void;
  onMessage(topic: string, payload: Buffer): void;
}

const RECONNECT_MAX_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const GOODBYE_MS = 2_000;

/**
 * The dock's MQTT connection. Each attempt is a new client: nothing that was published before waits in a queue to be
 * sent later behind the dock's back.
 */
export class MqttLink {
  private client: MqttClient | undefined;
  private wanted = false;
  private subscribed = false;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly context: DockContext,
    private readonly listener: LinkListener,
  ) {}

  get connected(): boolean {
    return this.subscribed;
  }

  open(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.failures = 0;
    this.connect();
  }

  /** Politely says goodbye first; abruptly cuts the connection, as a lost network does. */
  async close(manner: 'politely' | 'abruptly'): Promise<void> {
    this.wanted = false;
    clearTimeout(this.timer);
    const client = this.client;
    if (!client) return;
    this.lose(client);
    if (manner === 'abruptly' || !client.connected) {
      // `end` keeps its promise only after the stream closed; a cut one is gone at once.
      client.stream?.destroy();
      client.end(true);
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => (timer = setTimeout(resolve, GOODBYE_MS)));
    await Promise.race([client.endAsync(), tooLate]);
    clearTimeout(timer);
  }

  /** False when there is no connection; then nothing was sent and nothing will be. */
  publish(topic: string, payload: string | Buffer): boolean {
    if (!this.client || !this.subscribed) return false;
    // The callback takes the error of a cut connection; what must arrive is repeated by the one who sent it.
    const { settings, ways } = this.context;
    this.client.publish(topic, payload, { qos: settings.qos, retain: ways.has('retainer') }, () => undefined);
    return true;
  }

  private connect(): void {
    const { settings, journal, ways } = this.context;
    const client = mqtt.connect(settings.mqttUrl, {
      protocolVersion: settings.mqttVersion,
      clientId: settings.clientId,
      clean: settings.cleanSession,
      keepalive: settings.keepaliveSeconds,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      ...(settings.mqttVersion === 5 && !settings.cleanSession ? { properties: { sessionExpiryInterval: 3_600 } } : {}),
      // As a dock that was set up well: it speaks to the broker that it was given, or to none.
      rejectUnauthorized: true,
      ...(settings.mqttCa === undefined ? {} : { ca: settings.mqttCa }),
      ...(settings.mqttUser === undefined ? {} : { username: settings.mqttUser }),
      ...(settings.mqttPassword === undefined ? {} : { password: settings.mqttPassword }),
      ...(ways.has('retainer') ? { will: retainedWill(settings.sn) } : {}),
    });
    this.client = client;
    let reason = 'connection closed';
    client.on('error', (error) => (reason = error.message === '' ? reason : error.message));
    client.on('close', () => {
      const before = this.subscribed;
      if (this.client !== client) return;
      this.lose(client);
      client.end(true);
      this.failures += before ? 0 : 1;
      if (!before && Number.isInteger(Math.log2(this.failures))) {
        journal.note('disconnected', { reason, attempt: this.failures, next: 'trying again' });
      }
      this.reconnectLater();
    });
    client.on('message', (topic, payload) => this.listener.onMessage(topic, payload));
    client.on('connect', () => {
      // Small messages, and telemetry of others behind them: never wait to fill a segment.
      (client.stream as Partial<Socket>).setNoDelay?.(true);
      client.subscribe(subscriptionsOf(settings.sn), { qos: 1 }, (error, granted) => {
        if (this.client !== client) return;
        if (error || granted?.some(({ qos }) => qos > 2)) {
          reason = 'the broker refused the subscriptions';
          client.end(true);
          return;
        }
        this.failures = 0;
        this.subscribed = true;
        journal.note('connected', { mqtt: settings.mqttVersion });
        this.listener.onConnected();
      });
    });
  }

  private lose(client: MqttClient): void {
    const was = this.subscribed;
    this.subscribed = false;
    if (this.client === client) this.client = undefined;
    if (!was) return;
    this.context.journal.note('disconnected');
    this.listener.onDisconnected();
  }

  private reconnectLater(): void {
    if (!this.wanted) return;
    const { settings, prng } = this.context;
    const waitMs = Math.min(settings.reconnectMs * 2 ** Math.max(this.failures - 1, 0), RECONNECT_MAX_MS);
    // Docks that lost one broker together must not come back together.
    this.timer = setTimeout(() => this.connect(), waitMs * prng.between(0.75, 1.25));
  }
}

/** An event that nobody owns; the broker sends it, and keeps it, when the connection is lost. */
function retainedWill(sn: string) {
  const message = { tid: `will-${sn}`, bid: `will-${sn}`, method: 'connection_lost', gateway: sn, data: {} };
  return {
    topic: topics.events(sn),
    payload: Buffer.from(compose('newest', 0, message)),
    qos: 1 as const,
    retain: true,
  };
}
