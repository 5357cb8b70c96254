import path from 'node:path';
import { parseArgs } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { Problem } from '../infrastructure/problem.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { type Spread, spreadOf } from './herd/figures.js';

const MOST_DOCKS = 2_000;
/** Docks that ask for the first time while the storage is away. */
const NEWCOMERS = 20;
/** Docks that ask before: what is measured is a service that has run for a while, not a compiler that warms up. */
const EARLY = 300;
const WITHIN_MS = 30_000;
const CONNECTIONS_AT_ONCE = 50;
/** All docks ask within this time, as after a power cut. */
const SPREAD_MS = 1_000;

interface Dock {
  readonly sn: string;
  readonly client: MqttClient;
}

interface Answer {
  readonly result: number;
  readonly accessKeyId: string | undefined;
  readonly tookMs: number;
}

interface Round {
  readonly name: string;
  readonly asked: number;
  readonly keys: number;
  readonly refused: number;
  readonly unanswered: number;
  /** As credential-service counts them, and as the storage does. */
  readonly calls: number;
  readonly seenByStorage: number | null;
  readonly took: Spread;
}

/**
 * What it costs when all docks ask for keys in one second: first with nothing remembered, then again, then with the
 * storage dead. Ends with 1 where a prefix cost more than one call, or a dock was left without an answer.
 */
export async function benchCredentials(root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { docks: { type: 'string', default: '500' } } });
  const count = Number(values.docks);
  if (!Number.isInteger(count) || count < 1 || count > MOST_DOCKS) {
    throw new Problem(`--docks must be a whole number from 1 to ${MOST_DOCKS}`);
  }
  const directory = path.join(root, '.aerie', 'bench-credentials');
  const packagesDirectory = path.join(root, '.aerie', 'bin');
  const say = (text: string): void => console.log(text);
  return withStack({ root, directory, packagesDirectory, say }, (stack) => measure(stack, count));
}

async function measure(stack: Stack, count: number): Promise<number> {
  const docks: Dock[] = [];
  try {
    console.log(`connecting ${count + NEWCOMERS + EARLY} docks`);
    await connect(stack, count + NEWCOMERS + EARLY, docks);
    const [known, newcomers, early] = [
      docks.slice(0, count),
      docks.slice(count, count + NEWCOMERS),
      docks.slice(count + NEWCOMERS),
    ];
    for (let times = 0; times < 2; times++) await round(stack, 'early', early);
    const first = await round(stack, 'nothing remembered', known);
    const again = await round(stack, 'again', known);
    await stack.kill('object-store');
    const down = await round(stack, 'storage dead', known);
    const strangers = await round(stack, 'dead, new docks', newcomers);
    console.log(`\n${tableOf([first, again, down, strangers])}\n`);
    const sound =
      first.calls <= count &&
      first.keys === count &&
      again.calls === 0 &&
      down.keys === count &&
      strangers.refused === NEWCOMERS;
    console.log(
      sound
        ? 'One call for each prefix and none for what is remembered; docks without keys were told so.'
        : 'Not sound: see the table.',
    );
    return sound ? 0 : 1;
  } finally {
    await Promise.all(docks.map(({ client }) => client.endAsync(true)));
  }
}

async function connect(stack: Stack, count: number, docks: Dock[]): Promise<void> {
  const sns = Array.from({ length: count }, (_, index) => `KEYS-${String(index).padStart(4, '0')}`);
  const connections = await stack.importDocks(sns.map((sn) => ({ sn, model: 'dock2', name: sn })));
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < connections.length; index = next++) {
      const { mqttUrl, mqttUser, mqttPassword } = connections[index] ?? {};
      if (mqttUrl === undefined || mqttUser === undefined || mqttPassword === undefined) continue;
      const client = await mqtt.connectAsync(mqttUrl, {
        ...{ username: mqttUser, password: mqttPassword, clientId: mqttUser, protocolVersion: 5 },
      });
      await client.subscribeAsync(`thing/product/${mqttUser}/requests_reply`, { qos: 1 });
      docks.push({ sn: mqttUser, client });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, lane));
}

async function round(stack: Stack, name: string, docks: readonly Dock[]): Promise<Round> {
  const [calls, seen] = [await callsOf(stack), await seenByStorage(stack)];
  const answers = await Promise.all(docks.map((dock, index) => ask(dock, (index * SPREAD_MS) / docks.length)));
  const answered = answers.filter((answer) => answer !== undefined);
  const seenAfter = await seenByStorage(stack);
  return {
    name,
    asked: docks.length,
    keys: answered.filter(({ result, accessKeyId }) => result === 0 && accessKeyId !== undefined).length,
    refused: answered.filter(({ result }) => result !== 0).length,
    unanswered: answers.length - answered.length,
    calls: (await callsOf(stack)) - calls,
    seenByStorage: seen === null || seenAfter === null ? null : seenAfter - seen,
    took: spreadOf(answered.map(({ tookMs }) => tookMs)),
  };
}

/** Undefined: no answer in time. */
async function ask({ sn, client }: Dock, afterMs: number): Promise<Answer | undefined> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const tid = `${sn}-${Date.now()}`;
  const startedMs = performance.now();
  const answered = new Promise<Answer | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), WITHIN_MS);
    client.on('message', function receive(_topic, payload) {
      const reply = JSON.parse(payload.toString()) as {
        readonly tid: string;
        readonly data: { readonly result: number; readonly output?: { credentials: { access_key_id: string } } };
      };
      if (reply.tid !== tid) return;
      clearTimeout(timer);
      client.off('message', receive);
      const accessKeyId = reply.data.output?.credentials.access_key_id;
      resolve({ result: reply.data.result, accessKeyId, tookMs: performance.now() - startedMs });
    });
  });
  const question = { tid, bid: tid, timestamp: Date.now(), method: 'storage_config_get', data: { module: 0 } };
  client.publish(`thing/product/${sn}/requests`, JSON.stringify(question), { qos: 1 });
  return answered;
}

const callsOf = (stack: Stack): Promise<number> =>
  counted(stack.metricsUrl('credential-service'), /^credential_provider_calls_total\{[^}]*\} (\d+)/gm);

/** Keys are all that is asked of the storage by POST here; null while it is dead. */
const seenByStorage = (stack: Stack): Promise<number | null> =>
  counted(stack.metricsUrl('object-store'), /^object_store_requests_total\{[^}]*method="POST"[^}]*\} (\d+)/gm).catch(
    () => null,
  );

async function counted(url: string, line: RegExp): Promise<number> {
  const text = await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text();
  return [...text.matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function tableOf(rounds: readonly Round[]): string {
  const row = (what: string, of: (round: Round) => string): string =>
    what.padEnd(28) + rounds.map((one) => of(one).padStart(20)).join('');
  const ms = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(0));
  return [
    row('', ({ name }) => name),
    row('docks that asked', ({ asked }) => String(asked)),
    row('got keys', ({ keys }) => String(keys)),
    row('were refused', ({ refused }) => String(refused)),
    row('got no answer', ({ unanswered }) => String(unanswered)),
    row('calls to the storage', ({ calls }) => String(calls)),
    row('calls that it saw', ({ seenByStorage: seen }) => (seen === null ? '-' : String(seen))),
    row('answered p50, ms', ({ took }) => ms(took.p50)),
    row('answered p99, ms', ({ took }) => ms(took.p99)),
    row('answered max, ms', ({ took }) => ms(took.max)),
  ].join('\n');
}
