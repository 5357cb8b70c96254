import { uplinkFilters } from '@aerie/dji-protocol';
import type { Logger } from '@aerie/observability';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { KeptLink } from '../mqtt/kept-link.js';
import { type BrokerLogin, type EndOfMessage, openSession } from '../mqtt/session.js';
import type { DockBudget } from './dock-budget.js';
import { DockOrder } from './dock-order.js';
import type { ReceiveUplink } from './receive-uplink.js';
import { isSweep } from './retained-sweep.js';
import type { StoreGate } from './store-gate.js';

/** The group among whose members the broker shares out every message. Part of the broker's access rules. */
export const SHARE_GROUP = '$share/aerie-ingress/';

/** How long the broker keeps what docks send to a replica that is down. */
export const SESSION_EXPIRY_SECONDS = 3_600;
/** After UNSUBACK, messages that were on their way still come; this long without one, and none is left. */
const QUIET_MS = 300;
const LONGEST_DRAIN_MS = 5_000;
/** Messages that one connection has in work at a time, far below what the broker sends without a PUBACK. */
const IN_WORK = 32;

export interface ControlLinksOptions {
  readonly login: BrokerLogin;
  readonly ingressId: string;
  readonly connections: number;
  readonly receive: ReceiveUplink;
  /** Stores now what waits for company. */
  readonly hurry: () => void;
  readonly budget: DockBudget;
  readonly gate: StoreGate;
  readonly logger: Logger;
}

/**
 * The connections that bring control messages: several, each with some messages in work, those of one dock one by one in
 * the order in which they came, over all connections. Each has a stable client id and a session that outlives a crash,
 * since a shared subscription gives the messages of a member that left to nobody else.
 */
export class ControlLinks {
  private readonly links: KeptLink[];
  private lastMessageMs = 0;
  private inWork = 0;
  private readonly order = new DockOrder();

  constructor(private readonly options: ControlLinksOptions) {
    this.links = Array.from({ length: options.connections }, (_, index) => this.link(index));
    options.gate.onClose(() => {
      this.order.breakOff();
      this.links.forEach((link) => link.drop());
    });
  }

  get connected(): number {
    return this.links.filter(({ current }) => current !== undefined).length;
  }

  start(): void {
    for (const link of this.links) link.start();
  }

  /** Leaves so that no message waits for a member that is gone: unsubscribe, handle what still comes, end the session. */
  async stop(): Promise<void> {
    await Promise.all(
      this.links.map((link) =>
        link.stop(async (client) => {
          await client.unsubscribeAsync(filters());
          await this.quiet();
          await client.endAsync(false, { properties: { sessionExpiryInterval: 0 } } as never);
        }),
      ),
    );
  }

  private link(index: number): KeptLink {
    const { login, ingressId, gate, logger } = this.options;
    const clientId = `aerie-ingress-${ingressId}-${index}`;
    return new KeptLink({
      name: clientId,
      logger,
      wanted: () => gate.isOpen,
      open: async () => {
        const client: MqttClient = await openSession({
          login,
          clientId,
          sessionExpirySeconds: SESSION_EXPIRY_SECONDS,
          inWork: IN_WORK,
          onMessage: (packet, end) => void this.handle(packet, end),
        });
        // Live messages of docks that set the retain flag arrive without it; kept copies never arrive.
        await client.subscribeAsync(filters(), { qos: 1, rap: false, rh: 2 });
        return client;
      },
    });
  }

  private async handle(packet: IPublishPacket, { acknowledge, giveUp }: EndOfMessage): Promise<void> {
    const { receive, hurry, budget, gate } = this.options;
    if (isSweep(packet)) return acknowledge();
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    this.lastMessageMs = Date.now();
    if (!budget.admits(packet.topic, payload, this.lastMessageMs)) return acknowledge();
    this.inWork++;
    try {
      const receivedAtMs = this.lastMessageMs;
      const message = { topic: packet.topic, payload, retain: packet.retain };
      const sn = packet.topic.split('/')[2] ?? '';
      // What is stored a moment later must hold up neither what its dock says next nor, when much comes, its connection.
      if (this.order.isBusy(sn) || this.inWork >= IN_WORK) hurry();
      if (!(await this.order.run(sn, () => receive.receive(message, receivedAtMs)))) return giveUp();
      gate.stored();
    } catch (error) {
      // No PUBACK: the broker sends it again. All leave, because none of them could store either.
      gate.close(error instanceof Error ? error.message : 'a store failed');
      return giveUp();
    } finally {
      this.inWork--;
    }
    acknowledge();
  }

  private async quiet(): Promise<void> {
    const startedMs = Date.now();
    this.lastMessageMs = Math.max(this.lastMessageMs, startedMs);
    while (Date.now() - startedMs < LONGEST_DRAIN_MS) {
      if (this.inWork === 0 && Date.now() - this.lastMessageMs >= QUIET_MS) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const filters = (): string[] => uplinkFilters().control.map((filter) => SHARE_GROUP + filter);
