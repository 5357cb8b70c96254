import { topicFor, uplinkFilters } from '@aerie/dji-protocol';
import type { Logger, Metrics } from '@aerie/observability';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { KeptLink } from '../mqtt/kept-link.js';
import { type BrokerLogin, openSession } from '../mqtt/session.js';

/** Copies that one sweep removes; the next one removes the rest. */
const MAX_PER_SWEEP = 5_000;
/** Topics that a log line names. */
const MAX_LOGGED_TOPICS = 10;
/** Marks the empty message that removes a kept copy, so that the ingress does not take it for a word of the dock. */
const SWEEP_MARK = 'aerie-sweep';

export interface RetainedSweepOptions {
  readonly login: BrokerLogin;
  readonly ingressId: string;
  readonly everyMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Removes the copies that the broker keeps of messages with the retain flag, and tells the operator which docks set it.
 * The live message is taken like any other; its copy helps nobody. mosquitto has no limit for kept copies: without this,
 * one copy stays for each topic of each dock, up to the broker's message size, until the end of time.
 */
export class RetainedSweep {
  private readonly link: KeptLink;
  private readonly removed;
  private readonly found = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(private readonly options: RetainedSweepOptions) {
    const { login, ingressId, logger, metrics } = options;
    this.removed = metrics.counter(
      'ingress_retained_removed_total',
      'Copies of retained messages removed from the broker. The log names the docks that publish with the retain flag.',
    );
    this.link = new KeptLink({
      name: `aerie-ingress-${ingressId}-sweep`,
      logger,
      wanted: () => true,
      open: async () => {
        const clientId = `aerie-ingress-${ingressId}-sweep`;
        return openSession({
          login,
          clientId,
          sessionExpirySeconds: 0,
          onMessage: (packet, { acknowledge }) => {
            if (packet.retain) this.found.add(packet.topic);
            acknowledge();
          },
        });
      },
    });
  }

  start(): void {
    this.link.start();
    this.timer = setInterval(() => this.sweepOnce(), this.options.everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.link.stop((client) => client.endAsync());
    await this.sweeping;
  }

  private sweepOnce(): void {
    const client = this.link.current;
    if (client === undefined || this.sweeping !== undefined) return;
    // mqtt.js leaves calls of a connection that broke without an answer.
    const broke = new Promise<never>((_resolve, reject) => {
      client.once('close', () => reject(new Error('the connection to the broker is lost')));
    });
    this.sweeping = Promise.race([this.sweep(client), broke])
      .catch((error: unknown) => {
        this.options.logger.warn({ err: error }, 'failed to remove retained messages, trying again at the next sweep');
      })
      .finally(() => (this.sweeping = undefined));
  }

  private async sweep(client: MqttClient): Promise<void> {
    this.found.clear();
    // A subscription of its own: members of a shared one are never given kept copies. [MQTT5-4.8.2]
    await client.subscribeAsync(sweptFilters(), { qos: 0, rap: false, rh: 0 });
    // The broker sends the copies before it answers this.
    await client.unsubscribeAsync(sweptFilters());
    const topics = [...this.found].slice(0, MAX_PER_SWEEP);
    const properties = { userProperties: { [SWEEP_MARK]: '1' } };
    for (const topic of topics) await client.publishAsync(topic, '', { qos: 1, retain: true, properties });
    if (topics.length === 0) return;
    this.removed.inc(topics.length);
    const { logger } = this.options;
    const named = topics.slice(0, MAX_LOGGED_TOPICS);
    logger.warn(
      { topics: named, copies: topics.length },
      'docks publish with the retain flag, removed the kept copies',
    );
  }
}

/** The empty message with which a sweep removes a copy. Whatever has a payload is a word of the dock. */
export const isSweep = ({ payload, properties }: Pick<IPublishPacket, 'payload' | 'properties'>): boolean =>
  payload.length === 0 && properties?.userProperties?.[SWEEP_MARK] !== undefined;

/** All that docks may publish. Part of the broker's access rules. */
function sweptFilters(): string[] {
  const { control, telemetry } = uplinkFilters();
  return [...control, ...telemetry, topicFor('drc/up', '+')];
}
