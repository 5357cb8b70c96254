import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { DockHandle } from '@aerie/dock-simulator';
import { TraceCollector, tracedTo } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Client } from 'pg';
import { Logs } from './logs.js';
import { World } from './world.js';

// N71: secrets that were planted, or made on the way, and where they must not be found afterwards: logs, traces, PostgreSQL,
// Redis and JetStream.

interface StorageConfig {
  readonly result: number;
  readonly output?: {
    readonly credentials: { readonly access_key_secret: string; readonly security_token: string };
  };
}

let world: World;
let collector: TraceCollector;
beforeAll(async () => {
  collector = await TraceCollector.listen();
  world = await World.start(tracedTo(collector.url));
}, 120_000);
afterAll(async () => {
  await world.stop();
  await collector.close();
}, 60_000);

const canary = (): string => `canary-${randomBytes(24).toString('hex')}`;

/** By what it is, so that a hit says which secret it was. */
const planted = new Map<string, string>();
/** Everything that callers were answered when something was wrong. */
const refusals: string[] = [];

let questions = 0;
async function keysOf(dock: DockHandle): Promise<StorageConfig> {
  const tid = `canary-${++questions}`;
  const question = { tid, bid: tid, method: 'storage_config_get', timestamp: Date.now(), data: { module: 0 } };
  dock.publishRaw(`thing/product/${dock.sn}/requests`, JSON.stringify(question));
  const reply = await eventually('the dock is answered', () =>
    world.tap.seen.find((seen) => seen.tid === tid && seen.topic.endsWith('/requests_reply')),
  );
  return reply.data as unknown as StorageConfig;
}

async function plantKeys(name: string, dock: DockHandle): Promise<void> {
  const { output } = await keysOf(dock);
  if (output === undefined) throw new Error(`${dock.sn} got no keys`);
  planted.set(`${name}: secret of keys`, output.credentials.access_key_secret);
  planted.set(`${name}: token of keys`, output.credentials.security_token);
}

async function refused(method: 'post' | 'put', route: string, body: unknown): Promise<void> {
  const answer = await world.api[method](route, body);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  refusals.push(JSON.stringify(answer.body));
}

const aChoice = (secretAccessKey: string, parts: Readonly<Record<string, unknown>> = {}) => ({
  provider: 's3',
  dockEndpoint: world.stack.objectStoreUrl,
  region: 'us-east-1',
  bucket: 'aerie',
  roleArn: 'arn:aws:iam:::role/dock-upload',
  accessKeyId: 'AKCANARY',
  secretAccessKey,
  ...parts,
});

it('is a day on which much is given out, and much goes wrong', async () => {
  const dock = await world.dock();
  const keyFile = readFileSync(path.join(world.directory, 'credential.keys'), 'utf8');
  planted.set('key that seals', keyFile.trim().split(' ')[1] ?? '');
  planted.set('API key', world.stack.apiKey.replace(/^aerie_[^_]+_/, ''));
  const { mqttPassword, bindingCode } = await world.register('CANARY-1', 'dock2');
  planted.set('MQTT password', mqttPassword);
  planted.set('binding code', bindingCode);

  // A flight: its route goes out by an address that opens one object.
  const { id } = await world.immediate(dock);
  await world.ended(id);
  const [prepare] = world.tap.of('services', 'flighttask_prepare', id);
  const { url } = (prepare?.data as { file: { url: string } }).file;
  planted.set('signature of a wayline', new URL(url).searchParams.get('X-Amz-Signature') ?? '');

  await plantKeys('first dock', dock);

  // Logs: the keys of the attempt leave with the command.
  await new Logs(world).ended((await new Logs(world).request(dock.sn)).id);
  const [start] = world.tap.of('services', 'fileupload_start');
  const { credentials } = start?.data as unknown as NonNullable<StorageConfig['output']>;
  planted.set('secret of keys for logs', credentials.access_key_secret);
  planted.set('token of keys for logs', credentials.security_token);

  // A storage of one's own, with a secret that is wrong: the doctor fails, a dock is refused, keys cannot be called back.
  const secret = canary();
  planted.set('secret of a storage', secret);
  expect((await world.api.put('/storage', aChoice(secret))).status).toBe(200);
  const report = await world.api.post('/storage/doctor', {});
  refusals.push(JSON.stringify(report.body));
  await eventually('every process has heard of the new storage', async () =>
    (await keysOf(dock)).result === 0 ? undefined : true,
  );
  await refused('post', '/storage/revoke', { reason: 'the storage cannot' });

  // Bodies that are refused hold secrets too.
  const wrong = canary();
  planted.set('secret in a refused body', wrong);
  await refused('put', '/storage', aChoice(wrong, { region: 'not a region' }));
  await refused('put', '/storage', { secretAccesKey: wrong });
  await refused('post', '/storage/downloads', { objectKey: 'x', secretAccessKey: wrong });
  expect((await fetch(`${world.stack.apiUrl}/api/v1/storage`, { method: 'DELETE', headers: bearer() })).status).toBe(
    200,
  );

  // The storage away, and back.
  await eventually('the storage of the deployment is used again', async () =>
    (await keysOf(dock)).result === 0 ? true : undefined,
  );
  const late = await world.dock();
  await world.stack.kill('object-store');
  await keysOf(late);
  await world.api.post('/storage/revoke', { dockSn: dock.sn, reason: 'while the storage is away' });
  await world.stack.start('object-store');
  await eventually('keys are given out again', async () => ((await keysOf(late)).result === 0 ? true : undefined));
  await plantKeys('second dock', late);

  const { body } = await world.api.post<{ url: string }>('/storage/uploads', {
    ...{ name: 'a.txt', contentType: 'text/plain', sizeBytes: 1 },
  });
  planted.set('signature of an upload', new URL(body.url).searchParams.get('X-Amz-Signature') ?? '');
  for (const [name, text] of planted) expect([name, text.length > 8]).toEqual([name, true]);
}, 120_000);

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${world.stack.apiKey}` });

it('N71: leaves no secret in an answer', () => {
  expect(refusals.length).toBeGreaterThan(4);
  expect(hitsIn('an answer', refusals.join('\n'))).toEqual([]);
});

it('N71: leaves no secret in a metric', async () => {
  const names = [
    'mqtt-ingress',
    'fleet-service',
    'credential-service',
    'mission-service',
    'log-service',
    'object-store',
  ] as const;
  for (const name of names) {
    const text = await (await fetch(world.stack.metricsUrl(name))).text();
    expect(text.length).toBeGreaterThan(100);
    expect(hitsIn(`the metrics of ${name}`, text)).toEqual([]);
  }
});

it('N71: leaves no secret in a trace, which tells what is on the list and nothing else', () => {
  expect(new Set(collector.spans.map(({ service }) => service)).size).toBe(6);
  expect(hitsIn('a trace', collector.bodies.join('\n'))).toEqual([]);
  expect(collector.unlistedAttributes()).toEqual([]);
});

it('N71: leaves no secret in a log, a job or a stream', () => {
  const files = readdirSync(world.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    // The broker has carried the answers themselves, and may hold what nobody fetched; the store's own keys are its own.
    .filter((file) => !file.includes(`${path.sep}mosquitto${path.sep}`))
    // The one place of the key that seals.
    .filter((file) => !file.endsWith('credential.keys'));
  for (const part of [
    'credential-service.log',
    'mission-service.log',
    'log-service.log',
    `${path.sep}nats${path.sep}`,
    'appendonlydir',
  ]) {
    expect([part, files.some((file) => file.includes(part))]).toEqual([part, true]);
  }
  expect(files.flatMap((file) => hitsIn(path.relative(world.directory, file), textOf(file)))).toEqual([]);
});

/** PostgreSQL runs, and takes files of its own away at any time: what is gone holds nothing. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

it('N71: leaves no secret in a table', async () => {
  // Files of a database may be compressed, so its rows are read as well.
  const database = new Client({ connectionString: world.stack.infrastructure.databaseUrl });
  await database.connect();
  const { rows: tables } = await database.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname IN ('fleet', 'mission', 'credential', 'log')`,
  );
  const hits: string[] = [];
  let count = 0;
  for (const { name } of tables) {
    const { rows } = await database.query<{ line: string }>(`SELECT row_to_json(t)::text AS line FROM ${name} AS t`);
    count += rows.length;
    for (const { line } of rows) hits.push(...hitsIn(name, line));
  }
  await database.end();
  expect([tables.length > 25, count > 50]).toEqual([true, true]);
  expect(hits).toEqual([]);
});

/** As they are, and as hexadecimal and base64, in which rows and packets show bytes. */
function hitsIn(where: string, text: string): string[] {
  return [...planted].flatMap(([name, secret]) =>
    spellingsOf(secret).some((spelling) => text.includes(spelling)) ? [`${name} in ${where}`] : [],
  );
}

/** In base64 a text looks different at each of three places; what hangs together with its neighbours is cut off. */
function spellingsOf(secret: string): string[] {
  const inBase64 = [0, 1, 2].map((offset) => {
    const bytes = Buffer.from(' '.repeat(offset) + secret);
    return bytes.toString('base64').slice(offset === 0 ? 0 : 4, 4 * Math.floor(bytes.length / 3));
  });
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...inBase64];
}

it('N71: would find a secret in whatever spelling', () => {
  const [[name, secret] = ['', '']] = planted;
  for (const offset of [0, 1, 2]) {
    const leaked = Buffer.from(`${'x'.repeat(offset)}${secret}yz`);
    for (const text of [leaked.toString(), leaked.toString('hex'), leaked.toString('base64')]) {
      expect(hitsIn('here', text)).toEqual([`${name} in here`]);
    }
  }
});
