import mqtt, { type MqttClient } from 'mqtt';

/** A client of the broker that sees everything on the wire, and asks none of our programs. */
export class Witness {
  /** Execute commands by mission. */
  readonly executes = new Map<string, number>();
  /** Uplinks that want an answer, by topic and tid, and where the answer has to come. */
  private readonly asked = new Map<string, string>();
  private readonly answered = new Set<string>();
  uplinks = 0;

  private constructor(private readonly client: MqttClient) {}

  static async connect(url: string, username: string, password: string): Promise<Witness> {
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 100 });
    const witness = new Witness(client);
    client.on('message', (topic, payload) => witness.note(topic, payload.toString('utf8')));
    client.on('error', () => undefined);
    await client.subscribeAsync('#', { qos: 1 });
    return witness;
  }

  /** What devices asked and nobody has answered: topic, method and tid. */
  get unanswered(): string[] {
    return [...this.asked].filter(([key]) => !this.answered.has(key)).map(([, what]) => what);
  }

  get questions(): number {
    return this.asked.size;
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  private note(topic: string, payload: string): void {
    const [, , sn = '', channel = ''] = topic.split('/');
    let message: { method?: string; tid?: string; bid?: string; need_reply?: number };
    try {
      message = JSON.parse(payload) as typeof message;
    } catch {
      return;
    }
    const { method = '', tid = '', bid = '' } = message;
    if (channel === 'services') {
      if (method === 'flighttask_execute') this.executes.set(bid, (this.executes.get(bid) ?? 0) + 1);
    } else if (channel.endsWith('_reply') && channel !== 'services_reply') {
      this.answered.add(`${sn} ${channel} ${tid}`);
    } else {
      this.uplinks++;
      if (message.need_reply === 1 || channel === 'requests' || channel === 'status') {
        this.asked.set(`${sn} ${channel}_reply ${tid}`, `${topic} ${method} ${tid}`);
      }
    }
  }
}
