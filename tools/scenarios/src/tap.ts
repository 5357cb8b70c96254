import type { TlsIdentity } from '@aerie/local';
import mqtt, { type MqttClient } from 'mqtt';

export interface Seen {
  readonly topic: string;
  readonly method: string | undefined;
  readonly tid: string | undefined;
  readonly bid: string | undefined;
  readonly data: Record<string, unknown>;
  readonly atMs: number;
}

/** An independent witness: a separate MQTT client that sees everything on the wire, and asks none of our programs. */
export class Tap {
  readonly seen: Seen[] = [];

  private constructor(private readonly client: MqttClient) {}

  static async connect(
    url: string,
    username: string,
    password: string,
    filters: readonly string[] = ['#'],
    tls?: TlsIdentity,
  ): Promise<Tap> {
    const client = await mqtt.connectAsync(url, {
      protocolVersion: 5,
      username,
      password,
      reconnectPeriod: 100,
      ...tls,
    });
    const tap = new Tap(client);
    client.on('message', (topic, payload) => tap.note(topic, payload));
    client.on('error', () => undefined);
    await client.subscribeAsync([...filters], { qos: 1 });
    return tap;
  }

  /** Messages of a method on a kind of topic, e.g. `services` `flighttask_execute`, of one mission when it is given. */
  of(channel: string, method: string, missionId?: string): Seen[] {
    return this.seen.filter(
      (message) =>
        message.topic.endsWith(`/${channel}`) &&
        message.method === method &&
        (missionId === undefined || message.bid === missionId),
    );
  }

  executes(missionId?: string): Seen[] {
    return this.of('services', 'flighttask_execute', missionId);
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  private note(topic: string, payload: Buffer): void {
    const atMs = Date.now();
    try {
      const { method, tid, bid, data } = JSON.parse(payload.toString('utf8')) as Omit<Seen, 'topic' | 'atMs'>;
      this.seen.push({ topic, method, tid, bid, data, atMs });
    } catch {
      this.seen.push({ topic, method: undefined, tid: undefined, bid: undefined, data: {}, atMs });
    }
  }
}
