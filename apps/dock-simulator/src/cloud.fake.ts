import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { arrayOf, type Json, objectOf, textOf } from './wire.js';

export interface Heard {
  readonly topic: string;
  readonly sn: string;
  readonly channel: string;
  readonly method: string;
  readonly tid: string;
  readonly bid: string;
  readonly body: Json;
  readonly data: Json;
}

/** The least cloud that a dock is content with: it answers questions and events, and remembers what it heard. */
export class FakeCloud {
  readonly heard: Heard[] = [];
  answersEvents = true;
  answersRequests = true;
  bound = true;
  /** The answer to `flighttask_resource_get`. */
  resource: Json | undefined;
  /** The answer to `storage_config_get`. */
  storage: Json | undefined;
  private readonly waiters = new Set<() => void>();

  private constructor(
    private readonly client: MqttClient,
    private readonly sn: string,
  ) {
    client.on('message', (topic, payload) => this.hear(topic, payload));
  }

  static async meet(url: string, sn: string): Promise<FakeCloud> {
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, clientId: `cloud-${randomUUID()}` });
    (client.stream as Partial<Socket>).setNoDelay?.(true);
    const cloud = new FakeCloud(client, sn);
    const filters = [sn, `${sn}A`].flatMap((device) => [`thing/product/${device}/+`, `sys/product/${device}/+`]);
    await client.subscribeAsync([...filters, `thing/product/${sn}/property/+`], { qos: 1 });
    return cloud;
  }

  leave(): Promise<void> {
    return this.client.endAsync();
  }

  /** Sends a command and returns its tid. */
  async command(method: string, data: unknown, bid: string = randomUUID()): Promise<string> {
    const tid = randomUUID();
    const body = JSON.stringify({ tid, bid, timestamp: Date.now(), method, data });
    await this.client.publishAsync(`thing/product/${this.sn}/services`, body, { qos: 1 });
    return tid;
  }

  /** Sends a command and waits for the code of its answer. */
  async result(method: string, data: unknown, bid?: string): Promise<number> {
    const tid = await this.command(method, data, bid);
    const reply = await this.hears((message) => message.channel === 'services_reply' && message.tid === tid);
    return Number(reply.data['result']);
  }

  async setProperty(data: Json): Promise<Json> {
    const tid = randomUUID();
    const body = JSON.stringify({ tid, bid: randomUUID(), timestamp: Date.now(), data });
    await this.client.publishAsync(`thing/product/${this.sn}/property/set`, body, { qos: 1 });
    return (await this.hears((message) => message.tid === tid && message.channel === 'property/set_reply')).data;
  }

  of(method: string): Heard[] {
    return this.heard.filter((message) => message.method === method);
  }

  /** The first message that fits, already heard or to come. */
  async hears(fits: (message: Heard) => boolean, timeoutMs = 20_000): Promise<Heard> {
    const find = (): Heard | undefined => this.heard.find(fits);
    const known = find();
    if (known) return known;
    return new Promise<Heard>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(look);
        const last = this.heard.slice(-10).map(({ channel, method }) => `${channel}:${method}`);
        reject(new Error(`the cloud waited ${timeoutMs} ms in vain; last heard ${last.join(', ')}`));
      }, timeoutMs);
      const look = (): void => {
        const found = find();
        if (!found) return;
        clearTimeout(timer);
        this.waiters.delete(look);
        resolve(found);
      };
      this.waiters.add(look);
    });
  }

  private hear(topic: string, payload: Buffer): void {
    const [, , sn = '', ...rest] = topic.split('/');
    const channel = rest.join('/');
    if (['services', 'events_reply', 'requests_reply', 'status_reply', 'property/set'].includes(channel)) return;
    const body = objectOf(JSON.parse(payload.toString('utf8')));
    const message: Heard = {
      topic,
      sn,
      channel,
      method: textOf(body['method']),
      tid: textOf(body['tid']),
      bid: textOf(body['bid']),
      body,
      data: objectOf(body['data']),
    };
    this.heard.push(message);
    this.answer(message);
    for (const look of [...this.waiters]) look();
  }

  private answer(message: Heard): void {
    const needsReply = message.body['need_reply'] === 1 || message.body['need_reply'] === true;
    if (message.channel === 'events' && needsReply && this.answersEvents) this.say(message, { result: 0 });
    if (!this.answersRequests) return;
    if (message.channel === 'status') this.say(message, { result: 0 });
    if (message.channel === 'requests') this.say(message, this.answerTo(message));
  }

  private answerTo({ method, data }: Heard): Json {
    switch (method) {
      case 'config':
        return { ntp_server_host: '127.0.0.1', app_id: '1', app_key: 'k', app_license: 'l' };
      case 'airport_bind_status': {
        const devices = arrayOf(data['devices']).map((device) => textOf(objectOf(device)['sn']));
        const bind_status = devices.map((sn) => ({ sn, is_device_bind_organization: this.bound }));
        return { result: 0, output: { bind_status } };
      }
      case 'airport_organization_bind':
        return { result: 0, output: { err_infos: [{ sn: this.sn, err_code: 0 }] } };
      case 'flighttask_resource_get':
        return this.resource ?? { result: 314000 };
      case 'storage_config_get':
        return this.storage ?? { result: 314000 };
      default:
        return { result: 0 };
    }
  }

  private say({ topic, tid, bid, method }: Heard, data: Json): void {
    this.client.publish(`${topic}_reply`, JSON.stringify({ tid, bid, timestamp: Date.now(), method, data }), {
      qos: 1,
    });
  }
}

/** A storage with one file. */
export class FakeStorage {
  /** Set to see a dock meet a broken storage. */
  status = 200;

  private constructor(
    private readonly server: Server,
    readonly url: string,
    readonly fingerprint: string,
  ) {}

  static async serve(file: Buffer): Promise<FakeStorage> {
    const server = createServer((_request, response) => {
      response.writeHead(storage.status, { 'content-type': 'application/octet-stream' });
      response.end(storage.status === 200 ? file : 'no');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const md5 = createHash('md5').update(file).digest('hex');
    const storage = new FakeStorage(server, `http://127.0.0.1:${port}/route.kmz`, md5);
    return storage;
  }

  get file(): { url: string; fingerprint: string } {
    return { url: this.url, fingerprint: this.fingerprint };
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
