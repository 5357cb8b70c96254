import { type OsdFact, osdSubject } from '@aerie/bus-contract';
import { MAX_PAYLOAD_BYTES, decodeMessage, parseTopic, topicFor, uplinkFilters } from '@aerie/dji-protocol';
import { type NatsConnection, type NoteDocks, type RawOsd, RawOsdPublisher } from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import type { IPublishPacket } from 'mqtt';
import { KeptLink } from '../mqtt/kept-link.js';
import { type BrokerLogin, openSession } from '../mqtt/session.js';
import { SHARE_GROUP } from './control-links.js';
import type { DockBudget } from './dock-budget.js';
import { isSweep } from './retained-sweep.js';
import type { StoreGate } from './store-gate.js';
import { Together } from './together.js';

/** Messages wait so long for others: docks send theirs each two seconds. */
const TOGETHER_MS = 50;

export interface TelemetryLinkOptions {
  readonly login: BrokerLogin;
  readonly ingressId: string;
  readonly nats: NatsConnection;
  readonly notes: NoteDocks;
  readonly budget: DockBudget;
  readonly gate: StoreGate;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * OSD on a connection of its own: it must neither wait behind control messages nor hold them up. It is handed on as it
 * came; fleet-service reads it. Lost is lost.
 */
export class TelemetryLink {
  private readonly link: KeptLink;
  private readonly passed;
  private readonly dropped;
  private readonly raw: RawOsdPublisher;
  private readonly together = new Together<RawOsd>(TOGETHER_MS, (messages) => this.publish(messages));

  constructor(private readonly options: TelemetryLinkOptions) {
    const { login, ingressId, gate, logger, metrics } = options;
    this.passed = metrics.counter('ingress_osd_total', 'Telemetry messages passed on.');
    this.dropped = metrics.counter('ingress_osd_dropped_total', 'Telemetry messages dropped.', ['reason']);
    this.raw = new RawOsdPublisher(options.nats);
    const clientId = `aerie-ingress-${ingressId}-osd`;
    this.link = new KeptLink({
      name: clientId,
      logger,
      // Without NATS there is nowhere to pass it to, and the client library would collect it in memory.
      wanted: () => gate.isOpen,
      open: async () => {
        const client = await openSession({
          login,
          clientId,
          sessionExpirySeconds: 0,
          onMessage: (packet, { acknowledge }) => {
            this.pass(packet);
            acknowledge();
          },
        });
        const filters = uplinkFilters().telemetry.map((filter) => SHARE_GROUP + filter);
        await client.subscribeAsync(filters, { qos: 0, rap: false, rh: 2 });
        return client;
      },
    });
    gate.onClose(() => this.link.drop());
  }

  get connected(): boolean {
    return this.link.current !== undefined;
  }

  start(): void {
    this.link.start();
  }

  async stop(): Promise<void> {
    await this.link.stop((client) => client.endAsync());
    this.together.flush();
  }

  private pass(packet: IPublishPacket): void {
    // Only a kept copy has the flag, and that is no sign of life.
    if (packet.retain) return this.dropped.inc({ reason: 'kept_copy' });
    if (isSweep(packet)) return;
    const receivedAtMs = Date.now();
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const { notes, budget } = this.options;
    if (!budget.admits(packet.topic, payload, receivedAtMs)) return this.dropped.inc({ reason: 'over_budget' });
    const topic = parseTopic(packet.topic);
    if (!topic.accepted) return this.dropped.inc({ reason: 'unreadable' });
    const { sn } = topic;
    if (payload.byteLength > MAX_PAYLOAD_BYTES) {
      notes.note(sn, 'unreadable_telemetry', receivedAtMs, `payload is larger than ${MAX_PAYLOAD_BYTES} bytes`);
      return this.dropped.inc({ reason: 'unreadable' });
    }
    this.together.add({ sn, payload, receivedAtMs });
  }

  private publish(messages: readonly RawOsd[]): void {
    if (!this.options.gate.isOpen) return this.dropped.inc({ reason: 'no_nats' }, messages.length);
    const isHeard = this.raw.isHeard(Date.now());
    for (const message of messages) {
      if (isHeard) this.raw.publish(message);
      else this.publishRead(message);
    }
    this.passed.inc(messages.length);
  }

  /** For a fleet-service of the release before, while no other listens. */
  private publishRead({ sn, payload, receivedAtMs }: RawOsd): void {
    const message = decodeMessage({ topic: topicFor('osd', sn), payload, receivedAtMs });
    if (!message.accepted || Array.isArray(message.data)) return;
    const { gateway, timestampMs, data } = message;
    const fact: OsdFact = { v: 1, sn, gateway, timestampMs, receivedAtMs, data: data as Record<string, unknown> };
    this.options.nats.publish(osdSubject(sn), JSON.stringify(fact));
  }
}
