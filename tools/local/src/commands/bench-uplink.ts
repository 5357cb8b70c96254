import path from 'node:path';
import { parseArgs } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { Api, registerDock } from '../stack/api.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';

const DOCKS = 20;
/** Publishes of one dock whose PUBACK has not come; what the broker allows a client by default is 20. */
const IN_FLIGHT = 20;
const WITHIN_MS = 120_000;

/**
 * How many control messages one ingress stores in a second, PUBACK after the store, beside what one plain subscriber
 * of the same broker receives in the same run. The ratio says more than the figures, which are this machine's.
 */
export async function benchUplink(root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { messages: { type: 'string', default: '20000' } } });
  const messages = Math.min(1_000_000, Math.max(1_000, Number(values.messages) || 20_000));
  const directory = path.join(root, '.aerie', 'bench');
  const packagesDirectory = path.join(root, '.aerie', 'bin');
  const say = (text: string): void => console.log(text);
  return withStack({ root, directory, packagesDirectory, say }, async (stack) => {
    const docks = await connectDocks(stack);
    const plain = await rate(messages, await publisher(docks, 'drc/up', messages), await countPlain(stack));
    // All share this machine's cores: first the ingress with its consumer held still, then both.
    const consumer = stack.process('fleet-service');
    consumer.signal('SIGSTOP');
    const alone = await rate(messages, await publisher(docks, 'events', messages), () => storedBy(stack));
    consumer.signal('SIGCONT');
    const together = await rate(messages, await publisher(docks, 'events', messages), () => storedBy(stack));
    console.log(`plain subscriber, QoS 1               ${plain.toFixed(0)} messages/s`);
    console.log(
      `ingress, stored before PUBACK         ${alone.toFixed(0)} messages/s, ratio ${(alone / plain).toFixed(2)}`,
    );
    console.log(`the same while its consumer works too ${together.toFixed(0)} messages/s`);
    await Promise.all(docks.map(({ client }) => client.endAsync(true)));
    return 0;
  });
}

interface Dock {
  readonly sn: string;
  readonly client: MqttClient;
}

async function connectDocks(stack: Stack): Promise<Dock[]> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  return Promise.all(
    Array.from({ length: DOCKS }, async (_, index) => {
      const sn = `BENCH-${index}`;
      const { mqttUrl, mqttUser, mqttPassword } = await registerDock(api, sn, 'dock2', sn);
      const client = await mqtt.connectAsync(mqttUrl, {
        username: mqttUser,
        password: mqttPassword,
        protocolVersion: 5,
      });
      return { sn, client };
    }),
  );
}

/** Starts to publish when it is called; every dock its share, a bounded number at a time. */
async function publisher(docks: readonly Dock[], channel: string, messages: number): Promise<() => Promise<unknown>> {
  const data = { padding: 'x'.repeat(400) };
  const publishShare = async ({ sn, client }: Dock, share: number): Promise<void> => {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < share) {
        const tid = `${sn}-${channel}-${Date.now()}-${next++}`;
        const body = { tid, bid: tid, timestamp: Date.now(), method: 'bench_event', need_reply: 0, gateway: sn, data };
        await client.publishAsync(`thing/product/${sn}/${channel}`, JSON.stringify(body), { qos: 1 });
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  };
  return () => Promise.all(docks.map((dock) => publishShare(dock, messages / docks.length)));
}

async function countPlain(stack: Stack): Promise<() => number> {
  const { username, password } = stack.infrastructure.logins.observer;
  const client = await mqtt.connectAsync(stack.infrastructure.mqttUrl, { username, password, protocolVersion: 5 });
  let received = 0;
  client.on('message', () => received++);
  await client.subscribeAsync('thing/product/+/drc/up', { qos: 1 });
  return () => received;
}

async function storedBy(stack: Stack): Promise<number> {
  const text = await (await fetch(stack.metricsUrl('mqtt-ingress'))).text();
  return [...text.matchAll(/^ingress_uplinks_total\{[^}]*kind="events"[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

async function rate(
  messages: number,
  publish: () => Promise<unknown>,
  count: () => number | Promise<number>,
): Promise<number> {
  const before = await count();
  const startedMs = Date.now();
  const published = publish();
  while ((await count()) - before < messages) {
    if (Date.now() - startedMs > WITHIN_MS)
      throw new Error(`not all of ${messages} messages came within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const seconds = (Date.now() - startedMs) / 1_000;
  await published;
  return messages / seconds;
}
