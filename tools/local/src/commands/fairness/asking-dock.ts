import mqtt, { type MqttClient } from 'mqtt';
import type { DockConnection } from '../../stack/api.js';

/** A question of a dock comes again after two seconds; a dock that is slower than this got no answer that helps. */
const EACH_MS = 250;

/** An event that nobody knows: fleet-service keeps each of them, so that they can be counted. */
export const KEPT_METHOD = 'fairness_kept';

/**
 * A dock that only asks: four times a second a request, which fleet-service answers, and an event, which it keeps. It is
 * a client of the broker that knows nothing of our programs.
 */
export class AskingDock {
  private readonly asked = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private count = 0;
  readonly answeredAfterMs: number[] = [];

  private constructor(
    readonly sn: string,
    private readonly client: MqttClient,
  ) {}

  static async connect({ mqttUrl, mqttUser, mqttPassword }: DockConnection): Promise<AskingDock> {
    const login = { username: mqttUser, password: mqttPassword, protocolVersion: 5 as const };
    const client = await mqtt.connectAsync(mqttUrl, login);
    const dock = new AskingDock(mqttUser, client);
    client.on('error', () => undefined);
    client.on('message', (_topic, payload) => dock.note(payload));
    await client.subscribeAsync(`thing/product/${mqttUser}/requests_reply`, { qos: 1 });
    return dock;
  }

  start(): void {
    this.timer = setInterval(() => this.ask(), EACH_MS);
  }

  /** What it asked for, and got no answer to. */
  get unanswered(): number {
    return this.asked.size;
  }

  /** How many requests, and as many events, it has sent. */
  get sent(): number {
    return this.count;
  }

  /** It asks no more; answers still come. */
  pause(): void {
    clearInterval(this.timer);
  }

  async close(): Promise<void> {
    this.pause();
    await this.client.endAsync(true);
  }

  private ask(): void {
    const tid = `${this.sn}-${++this.count}`;
    this.asked.set(tid, performance.now());
    const common = { bid: tid, timestamp: Date.now(), gateway: this.sn };
    this.publish('requests', {
      ...common,
      tid,
      method: 'config',
      data: { config_type: 'json', config_scope: 'product' },
    });
    this.publish('events', { ...common, tid: `${tid}-e`, method: KEPT_METHOD, need_reply: 0, data: {} });
  }

  private publish(channel: string, body: object): void {
    this.client.publish(`thing/product/${this.sn}/${channel}`, JSON.stringify(body), { qos: 1 });
  }

  private note(payload: Buffer): void {
    const { tid = '' } = JSON.parse(payload.toString('utf8')) as { tid?: string };
    const askedAtMs = this.asked.get(tid);
    if (askedAtMs === undefined) return;
    this.asked.delete(tid);
    this.answeredAfterMs.push(performance.now() - askedAtMs);
  }
}
