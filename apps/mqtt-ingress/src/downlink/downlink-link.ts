import { setTimeout as pause } from 'node:timers/promises';
import { NOT_CONNECTED, type SendAnswer } from '@aerie/bus-contract';
import type { Logger } from '@aerie/observability';
import type { MqttClient } from 'mqtt';
import { KeptLink } from '../mqtt/kept-link.js';
import { type BrokerLogin, openSession, throwAway } from '../mqtt/session.js';

/** A PUBACK that has not come by then is not waited for; only the dock can tell what became of the message. */
const PUBACK_TIMEOUT_MS = 5_000;
/**
 * A broker that has acknowledged nothing for so long stands still, though its connection lives. What was written to it lies
 * unread, and its expiry begins only when it is read: nothing more is put behind it.
 */
const STANDS_STILL_MS = 2_000;
/** A start waits so long for a broker that is away. */
const START_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 10;
/** One turn of the event loop and some: what has arrived is read by then. */
const READS_WITHIN_MS = 10;
/** MQTT 5: the broker took the message and had nobody to give it to. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
const FIRST_ERROR_CODE = 0x80;
/** Publishes without their PUBACK. More than a herd of a few thousand starts means that the broker hangs. */
const MAX_IN_FLIGHT = 10_000;

type Settle = (answer: SendAnswer) => void;

/** A publish without its PUBACK. */
interface Owed {
  readonly writtenAtMs: number;
  readonly settle: Settle;
}

interface Puback {
  readonly messageId?: number | undefined;
  readonly reasonCode?: number | undefined;
}

/** The connection that writes to docks. It has no subscriptions and no session, so there is nothing to resume. */
export class DownlinkLink {
  private readonly link: KeptLink;
  private readonly waiting = new Map<number, Owed>();
  /** What was written and is not waited for any more, oldest first. */
  private readonly overdue = new Map<number, number>();
  private acknowledgedAtMs = 0;
  /** When the newest of those was written that are acknowledged. */
  private readUntilMs = 0;

  constructor(private readonly options: { login: BrokerLogin; ingressId: string; logger: Logger }) {
    const clientId = `aerie-ingress-${options.ingressId}-down`;
    this.link = new KeptLink({
      name: clientId,
      logger: options.logger,
      wanted: () => true,
      open: async () => {
        const client = await openSession({
          ...{ login: options.login, clientId, sessionExpirySeconds: 0 },
          mayBeThrownAway: true,
        });
        client.on('packetreceive', (packet) => {
          if (packet.cmd === 'puback') this.acknowledged(packet);
        });
        client.once('close', () => this.lost());
        return client;
      },
    });
  }

  get connected(): boolean {
    return this.link.current !== undefined;
  }

  /** Resolves once it is connected, or after a while where the broker is away: it goes on trying. */
  async start(): Promise<void> {
    this.link.start();
    const givenUpAtMs = performance.now() + START_WITHIN_MS;
    while (!this.connected && performance.now() < givenUpAtMs) {
      await pause(LOOK_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    await this.link.stop(async (client) => {
      const startedMs = Date.now();
      while (this.waiting.size > 0 && Date.now() - startedMs < PUBACK_TIMEOUT_MS) {
        await pause(20);
      }
      // What has not arrived by now shall not arrive after somebody else was told that nobody knows.
      if (this.waiting.size > 0) throwAway(client);
      else await client.endAsync();
    });
  }

  /**
   * A process that was held up itself has acknowledgements in its socket: they are read before the broker is blamed. Call it
   * before the clock is looked at, since it may take a moment.
   */
  async readWhatHasArrived(): Promise<void> {
    if (this.standsStill()) await pause(READS_WITHIN_MS);
  }

  /**
   * One PUBLISH, QoS 1, never retained, never repeated. With `neverLate` it does not reach the broker after its expiry:
   * when it is not acknowledged until then, the connection is thrown away with what lies in it.
   */
  publish(topic: string, payload: string, expirySeconds: number, neverLate = false): Promise<SendAnswer> {
    const client: MqttClient | undefined = this.link.current;
    if (client === undefined) return Promise.resolve({ outcome: 'refused', reason: NOT_CONNECTED });
    if (this.waiting.size >= MAX_IN_FLIGHT)
      return Promise.resolve({ outcome: 'refused', reason: 'too many in flight' });
    if (this.standsStill()) {
      return Promise.resolve({ outcome: 'refused', reason: 'the broker stands still: it acknowledges nothing' });
    }
    const writtenAtMs = performance.now();
    return new Promise((resolve) => {
      const properties = { messageExpiryInterval: expirySeconds };
      client.publish(topic, payload, { qos: 1, retain: false, properties }, () => undefined);
      // mqtt.js keeps the reason code of a PUBACK to itself, so PUBACKs are matched here by packet id.
      const packetId = client.getLastMessageId();
      const untilLateMs = Math.min(PUBACK_TIMEOUT_MS, expirySeconds * 1_000);
      const lateTimer = neverLate
        ? setTimeout(() => void this.throwAwayUnlessRead(client, writtenAtMs), untilLateMs)
        : undefined;
      const timer = setTimeout(() => {
        this.overdue.set(packetId, writtenAtMs);
        settle({ outcome: 'unknown', reason: 'no PUBACK' });
      }, PUBACK_TIMEOUT_MS);
      const settle: Settle = (answer) => {
        clearTimeout(timer);
        clearTimeout(lateTimer);
        this.waiting.delete(packetId);
        resolve(answer);
      };
      this.waiting.set(packetId, { writtenAtMs, settle });
    });
  }

  /** A broker acknowledges in order [MQTT5-4.6.0-2], so it has read all that was written before what it acknowledged. */
  private async throwAwayUnlessRead(client: MqttClient, writtenAtMs: number): Promise<void> {
    await pause(READS_WITHIN_MS);
    if (this.readUntilMs >= writtenAtMs || this.link.current !== client) return;
    const { logger, ingressId } = this.options;
    logger.warn(
      { ingressId },
      'a command is not acknowledged in time: the connection is thrown away, with what lies in it',
    );
    throwAway(client);
  }

  /** Whether the oldest write that was not acknowledged is old, and nothing at all was acknowledged since. */
  private standsStill(): boolean {
    const [oldestOverdueMs] = this.overdue.values();
    const [oldest] = this.waiting.values();
    const sinceMs = oldestOverdueMs ?? oldest?.writtenAtMs;
    return sinceMs !== undefined && performance.now() - Math.max(sinceMs, this.acknowledgedAtMs) >= STANDS_STILL_MS;
  }

  private acknowledged({ messageId, reasonCode }: Puback): void {
    this.acknowledgedAtMs = performance.now();
    const owed = messageId === undefined ? undefined : this.waiting.get(messageId);
    const writtenAtMs = owed?.writtenAtMs ?? this.overdue.get(messageId ?? 0) ?? 0;
    this.readUntilMs = Math.max(this.readUntilMs, writtenAtMs);
    this.overdue.clear();
    if (owed === undefined) return;
    const { settle } = owed;
    if (reasonCode === NO_MATCHING_SUBSCRIBERS)
      settle({ outcome: 'refused', reason: 'no matching subscribers', dockIsAway: true });
    // An error code says that the broker did not take it, but it came after the bytes: only the dock is believed.
    else if ((reasonCode ?? 0) >= FIRST_ERROR_CODE)
      settle({ outcome: 'unknown', reason: `PUBACK reason ${reasonCode}` });
    else settle({ outcome: 'written' });
  }

  private lost(): void {
    this.overdue.clear();
    for (const { settle } of [...this.waiting.values()])
      settle({ outcome: 'unknown', reason: 'the connection was lost' });
  }
}
