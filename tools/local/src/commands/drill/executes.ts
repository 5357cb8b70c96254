import type { DockHandle } from '@aerie/dock-simulator';
import mqtt, { type MqttClient } from 'mqtt';
import type { MqttLogin } from '../../infrastructure/infrastructure.js';

/**
 * Each `flighttask_execute` on the wire, by flight. Two witnesses that ask none of our programs: a client of the broker, and
 * the docks. The broker is wiped with the rest, so its client may miss what left in that instant; a dock does not.
 */
export class Executes {
  private readonly seen = new Map<string, Set<string>>();

  private constructor(private readonly client: MqttClient) {}

  static async connect(url: string, { username, password }: MqttLogin): Promise<Executes> {
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 100 });
    const executes = new Executes(client);
    client.on('error', () => undefined);
    client.on('message', (_topic, payload) => executes.note(payload));
    await client.subscribeAsync('thing/product/+/services', { qos: 1 });
    return executes;
  }

  /** Different commands that told a dock to start this flight. */
  countOf(flightId: string, dock: DockHandle | undefined): number {
    const tids = new Set(this.seen.get(flightId));
    for (const { tid, data } of dock?.commandsOf('flighttask_execute') ?? [])
      if ((data as { flight_id?: string }).flight_id === flightId) tids.add(tid);
    return tids.size;
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  private note(payload: Buffer): void {
    const { method, tid, data } = JSON.parse(payload.toString('utf8')) as {
      method?: string;
      tid?: string;
      data?: { flight_id?: string };
    };
    const flightId = data?.flight_id;
    if (method !== 'flighttask_execute' || flightId === undefined || tid === undefined) return;
    const tids = this.seen.get(flightId) ?? new Set();
    this.seen.set(flightId, tids.add(tid));
  }
}
