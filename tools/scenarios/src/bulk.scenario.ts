import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { BULK_LOG_STREAM } from '@aerie/bus-contract';
import type { DockHandle } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connect as connectToNats } from '@nats-io/transport-node';
import { Client } from 'pg';
import { World, rootFolder } from './world.js';

let world: World;
let nats: NatsConnection;
let manager: JetStreamManager;
beforeAll(async () => {
  world = await World.start();
  const { host, username, password } = new URL(world.stack.infrastructure.natsUrl);
  nats = await connectToNats({ servers: [host], user: username, pass: password });
  manager = await jetstreamManager(nats);
}, 120_000);
afterAll(async () => {
  await nats?.close();
  await world.stop();
}, 60_000);

/** So many reports are on their way at once as eight connections of the ingress take. */
const REPORTS = 200;
const ASKS = 20;

const countOf = async (stream: string, sn: string): Promise<number> => {
  const { state } = await manager.streams.info(stream, { subjects_filter: '>' });
  return Object.entries(state.subjects ?? {}).reduce(
    (sum, [subject, count]) => (subject.split('.').includes(sn) ? sum + count : sum),
    0,
  );
};
const ingressCounted = async (name: string): Promise<number> => {
  const text = await (await fetch(world.stack.metricsUrl('mqtt-ingress'))).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

/** Each about an upload that nobody asked for: log-service keeps one dead letter of each, by which it can be counted. */
function reportUploads(dock: DockHandle, count: number): void {
  for (let index = 0; index < count; index++) {
    const [tid, bid] = [randomUUID(), randomUUID()];
    const data = { output: { status: 'file_uploading', ext: { files: [] } }, result: 0 };
    const report = { tid, bid, timestamp: Date.now(), gateway: dock.sn, method: 'fileupload_progress', data };
    dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify(report));
  }
}

/** A closed gate holds for as long as the store is full, which is for ever here; `bench:fairness` judges times. */
const NOT_HELD_MS = 5_000;

/** How long a dock waits for keys. */
async function askForKeys(dock: DockHandle): Promise<number> {
  const tid = randomUUID();
  const question = { tid, bid: tid, method: 'storage_config_get', timestamp: Date.now(), data: { module: 0 } };
  const askedMs = Date.now();
  dock.publishRaw(`thing/product/${dock.sn}/requests`, JSON.stringify(question));
  const answer = await eventually('the dock has its keys', () =>
    world.tap.of('requests_reply', 'storage_config_get').find((seen) => seen.tid === tid),
  );
  return answer.atMs - askedMs;
}

it('flies missions and answers docks as ever while log-service stands still and its stream is full, and loses nothing', async () => {
  const [talker, flyer] = [await world.dock({ qos: 1 }), await world.dock({ qos: 1 })];
  await askForKeys(flyer);
  await world.stack.kill('log-service');
  const { config, state } = await manager.streams.info(BULK_LOG_STREAM.name);
  // Room for some of the reports.
  await manager.streams.update(BULK_LOG_STREAM.name, { ...config, max_bytes: state.bytes + 40 * 1024 });
  reportUploads(talker, REPORTS);
  await eventually('the rest is kept aside', async () => {
    const [stored, aside] = [await countOf('BULK_LOG', talker.sn), await countOf('OVERFLOW', talker.sn)];
    return stored > 0 && aside > 0 && stored + aside === REPORTS;
  });

  // The stream stays full: more comes all the time.
  const talking = setInterval(() => reportUploads(talker, 1), 100);
  const missions = [await world.immediate(flyer), await world.immediate(talker)];
  const waits: number[] = [];
  for (let ask = 0; ask < ASKS; ask++) waits.push(await askForKeys(flyer));
  for (const { id } of missions) {
    const ended = await world.ended(id);
    const [seenMs, endedMs] = [lastReportOf(id), Date.parse((await world.timeline(id)).at(-1)?.at ?? '')];
    expect([ended.state, endedMs - seenMs < NOT_HELD_MS]).toEqual(['succeeded', true]);
  }
  clearInterval(talking);
  expect(Math.max(...waits)).toBeLessThan(NOT_HELD_MS);
  const stayed = [await world.stack.readiness('mqtt-ingress'), await ingressCounted('ingress_overflow_left_out_total')];
  expect(stayed).toEqual([expect.stringContaining('ready'), 0]);
  const told = world.tap.of('events', 'fileupload_progress').filter(({ topic }) => topic.includes(talker.sn)).length;

  // It comes back, reads what its stream has, and gets the rest by the command.
  await world.stack.start('log-service');
  await eventually('its stream is read', async () => (await countOf('BULK_LOG', talker.sn)) === 0, 30_000);
  expect(sendOverflow()).toContain('0 stay');
  await eventually('each report was handled', async () => (await countOf('DEAD', talker.sn)) === told, 30_000);
  expect([await countOf('OVERFLOW', talker.sn), await countOf('BULK_LOG', talker.sn)]).toEqual([0, 0]);
}, 180_000);

interface StateView {
  readonly properties: Readonly<Record<string, { readonly value: unknown }>>;
  readonly notes: readonly { readonly code: string; readonly detail: string | null }[];
}

it('takes what a dock tells when it changes although the stream of unknown messages is full, and shows on the dock that it is', async () => {
  const dock = await world.dock({ qos: 1 });
  const tell = (channel: string, message: object): void => {
    const envelope = { tid: randomUUID(), bid: randomUUID(), timestamp: Date.now(), gateway: dock.sn };
    dock.publishRaw(`thing/product/${dock.sn}/${channel}`, JSON.stringify({ ...envelope, ...message }));
  };
  const state = async (): Promise<StateView> => good(await world.api.get<StateView>(`/docks/${dock.sn}/state`));
  tell('events', { method: 'unheard_of', data: {} });
  tell('state', { data: { compatible_status: 1 } });
  await eventually('the property is shown', async () => (await state()).properties['compatible_status']?.value === 1);
  await eventually('the unknown message is kept', async () => (await keptOf(dock.sn)) === 1);

  const { config, state: held } = await manager.streams.info('BULK_FLEET');
  await manager.streams.update('BULK_FLEET', { ...config, max_bytes: Math.max(1, held.bytes) });
  tell('events', { method: 'unheard_of', data: {} });
  tell('state', { data: { compatible_status: 0 } });
  await eventually(
    'the property is shown again',
    async () => (await state()).properties['compatible_status']?.value === 0,
  );
  await eventually('the dock has a note', async () =>
    (await state()).notes.some(({ code, detail }) => code === 'store_full' && detail === 'none: kept aside'),
  );
  await manager.streams.update('BULK_FLEET', config);
  expect([await keptOf(dock.sn), await countOf('OVERFLOW', dock.sn)]).toEqual([1, 1]);
  expect(sendOverflow()).toContain('1 sent again');
  await eventually('it is kept as well', async () => (await keptOf(dock.sn)) === 2);
}, 120_000);

/** Messages that no service knows, of one dock. */
async function keptOf(sn: string): Promise<number> {
  const database = new Client({ connectionString: world.stack.infrastructure.databaseUrl });
  await database.connect();
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM fleet.kept_message WHERE sn = $1 AND method = 'unheard_of'`,
    [sn],
  );
  await database.end();
  return rows[0]?.count ?? 0;
}

/** When the last report of a flight was on the wire. */
const lastReportOf = (id: string): number =>
  Math.max(...world.tap.of('events', 'flighttask_progress', id).map(({ atMs }) => atMs));

/** The command, as a person types it. */
function sendOverflow(): string {
  const command = path.join(rootFolder(), 'apps', 'mqtt-ingress', 'dist', 'replay-dead-letters.js');
  const env = { ...process.env, NATS_URL: world.stack.infrastructure.natsUrls.provisioner };
  const args = [command, '--overflow', '--send', '--limit', '1000'];
  return spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000 }).stderr;
}
