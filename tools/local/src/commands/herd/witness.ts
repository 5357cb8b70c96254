import mqtt, { type MqttClient } from 'mqtt';
import type { MqttLogin } from '../../infrastructure/infrastructure.js';

const FILTERS = ['thing/product/+/services', 'thing/product/+/services_reply'];

interface Message {
  readonly tid?: string;
  readonly method?: string;
  readonly data?: { readonly flight_id?: string; readonly result?: number };
}

/**
 * Sees every command on the wire, as a client of the broker that asks none of our programs. Every delivery counts: a
 * repeat of the same message would reach a dock twice as well.
 */
export class Witness {
  private readonly executes = new Map<string, number[]>();
  private readonly prepared = new Map<string, number>();
  /** Prepare commands whose answer has not come: tid to flight. */
  private readonly prepares = new Map<string, string>();
  private lost = false;

  private constructor(private readonly client: MqttClient) {}

  static async connect(url: string, { username, password }: MqttLogin): Promise<Witness> {
    // It must not come back by itself: what it missed meanwhile would be missing from the count.
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
    const witness = new Witness(client);
    client.on('message', (topic, payload) => witness.note(topic, payload, Date.now()));
    client.on('error', () => undefined);
    client.on('close', () => (witness.lost = true));
    await client.subscribeAsync(FILTERS, { qos: 1 });
    return witness;
  }

  /** True once the connection broke; then its counts say nothing. */
  get blind(): boolean {
    return this.lost;
  }

  /** When each `flighttask_execute` of a flight was seen. */
  executesOf(flightId: string): readonly number[] {
    return this.executes.get(flightId) ?? [];
  }

  /** When a dock said yes to the prepare of a flight. */
  preparedAtMs(flightId: string): number | undefined {
    return this.prepared.get(flightId);
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  private note(topic: string, payload: Buffer, atMs: number): void {
    const { tid = '', method, data } = JSON.parse(payload.toString('utf8')) as Message;
    if (topic.endsWith('/services')) {
      const flightId = data?.flight_id ?? '';
      if (method === 'flighttask_prepare') this.prepares.set(tid, flightId);
      if (method === 'flighttask_execute') this.executes.set(flightId, [...this.executesOf(flightId), atMs]);
      return;
    }
    const flightId = method === 'flighttask_prepare' ? this.prepares.get(tid) : undefined;
    if (flightId === undefined) return;
    this.prepares.delete(tid);
    if (data?.result === 0) this.prepared.set(flightId, atMs);
  }
}
