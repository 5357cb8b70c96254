import { type OsdFact, osdSubject } from '@aerie/bus-contract';
import { decodeMessage, uplinkFilters } from '@aerie/dji-protocol';
import type { NatsConnection, NoteDocks } from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import type { IPublishPacket } from 'mqtt';
import { KeptLink } from '../mqtt/kept-link.js';
import { type BrokerLogin, openSession } from '../mqtt/session.js';
import { SHARE_GROUP } from './control-links.js';
import type { DockBudget } from './dock-budget.js';
import { isSweep } from './retained-sweep.js';
import type { StoreGate } from './store-gate.js';

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

/** OSD on a connection of its own: it must neither wait behind control messages nor hold them up. Lost is lost. */
export class TelemetryLink {
  private readonly link: KeptLink;
  private readonly passed;
  private readonly dropped;
  private readonly flat;

  constructor(private readonly options: TelemetryLinkOptions) {
    const { login, ingressId, gate, logger, metrics } = options;
    this.passed = metrics.counter('ingress_osd_total', 'Telemetry messages passed on.');
    this.dropped = metrics.counter('ingress_osd_dropped_total', 'Telemetry messages dropped.', ['reason']);
    this.flat = metrics.counter('ingress_osd_flat_total', 'Telemetry messages without `data`: properties beside it.');
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
          onMessage: (packet, acknowledge) => {
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
  }

  private pass(packet: IPublishPacket): void {
    // Only a kept copy has the flag, and that is no sign of life.
    if (packet.retain) return this.dropped.inc({ reason: 'kept_copy' });
    if (isSweep(packet)) return;
    const receivedAtMs = Date.now();
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const { gate, notes, nats, budget } = this.options;
    if (!budget.admits(packet.topic, payload, receivedAtMs)) return this.dropped.inc({ reason: 'over_budget' });
    const message = decodeMessage({ topic: packet.topic, payload, receivedAtMs });
    if (!message.accepted || Array.isArray(message.data)) {
      const [from, reason] = message.accepted ? [message.sn, 'data: expected an object'] : [message.sn, message.reason];
      if (gate.isOpen && from !== undefined) notes.note(from, 'unreadable_telemetry', receivedAtMs, reason);
      return this.dropped.inc({ reason: 'unreadable' });
    }
    if (!gate.isOpen) return this.dropped.inc({ reason: 'no_nats' });
    const { sn, gateway, timestampMs, data, flat } = message;
    if (flat) {
      this.flat.inc();
      notes.note(sn, 'flat_properties', receivedAtMs);
    }
    const fact: OsdFact = { v: 1, sn, gateway, timestampMs, receivedAtMs, data: data as Record<string, unknown> };
    nats.publish(osdSubject(sn), JSON.stringify(fact));
    this.passed.inc();
  }
}
