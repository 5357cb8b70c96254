import { uplinkFilters } from '@aerie/dji-protocol';
import type { Logger } from '@aerie/observability';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { KeptLink } from '../mqtt/kept-link.js';
import { type BrokerLogin, type EndOfMessage, cutSession, openSession } from '../mqtt/session.js';
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
/** What is not stored by then is left to the next try. */
const LONGEST_INHERITING_MS = 60_000;
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
  readonly clientIds: readonly string[];
  /** Of others, while they are emptied. */
  private readonly inherited = new Set<MqttClient>();
  private lastMessageMs = 0;
  private inWork = 0;
  private readonly order = new DockOrder();

  constructor(private readonly options: ControlLinksOptions) {
    const { connections, ingressId } = options;
    this.clientIds = Array.from({ length: connections }, (_, index) => `aerie-ingress-${ingressId}-${index}`);
    this.links = this.clientIds.map((clientId) => this.link(clientId));
    options.gate.onClose(() => {
      this.order.breakOff();
      this.links.forEach((link) => link.drop());
      this.inherited.forEach((client) => cutSession(client));
    });
  }

  get connected(): number {
    return this.connectedIds.length;
  }

  get connectedIds(): readonly string[] {
    return this.clientIds.filter((_, index) => this.links[index]?.current !== undefined);
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

  /**
   * Connects as another replica that is gone, stores what the broker has kept for it, and ends its session. Gives how many
   * messages that were; rejects when the connection ends before, e.g. since the other one is back.
   */
  async takeOver(clientId: string): Promise<number> {
    let lastMessageMs = Date.now();
    let inWork = 0;
    let messages = 0;
    const client = await openSession({
      login: this.options.login,
      clientId,
      sessionExpirySeconds: SESSION_EXPIRY_SECONDS,
      inWork: IN_WORK,
      onMessage: (packet, end) => {
        lastMessageMs = Date.now();
        inWork++;
        messages++;
        void this.handle(packet, end).finally(() => inWork--);
      },
    });
    this.inherited.add(client);
    try {
      await client.unsubscribeAsync(filters());
      const untilMs = Date.now() + LONGEST_INHERITING_MS;
      while (inWork > 0 || Date.now() - lastMessageMs < QUIET_MS) {
        if (!client.connected) throw new Error('the connection ended before all was stored');
        if (Date.now() > untilMs) throw new Error('it did not become empty in time');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await client.endAsync(false, { properties: { sessionExpiryInterval: 0 } } as never);
      return messages;
    } catch (error) {
      cutSession(client);
      throw error;
    } finally {
      this.inherited.delete(client);
    }
  }

  private link(clientId: string): KeptLink {
    const { login, gate, logger } = this.options;
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
