import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { ask, isAlive } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { rootFolder } from './world.js';

interface Run {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly pids: Readonly<Record<string, number>>;
  readonly [name: string]: unknown;
}

/** What opens something: passwords and keys, also inside of addresses. */
function secretsOf(run: Run): string[] {
  const urls = Object.values(run).filter((value) => typeof value === 'string' && value.includes('@')) as string[];
  return [String(run['mqttPassword']), run.apiKey, ...urls.map((url) => new URL(url).password)];
}

const root = rootFolder();
const directory = mkdtempSync(path.join(mkdirs(path.join(root, '.aerie', 'scenarios')), 'start-'));
// The programs that were fetched once serve here too.
symlinkSync(path.join(root, '.aerie', 'bin'), path.join(directory, 'bin'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

interface Command {
  readonly child: ChildProcess;
  output: string;
  readonly exit: Promise<number | null>;
}

function npm(...args: string[]): Command {
  const child = spawn(process.execPath, [path.join(root, 'tools', 'bootstrap.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, AERIE_DIRECTORY: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const command: Command = { child, output: '', exit: new Promise((resolve) => child.once('exit', resolve)) };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => (command.output += text.toString()));
  return command;
}

let firstSecrets: readonly string[] = [];
let keptKey = '';

async function up(...args: readonly string[]): Promise<{ readonly command: Command; readonly run: Run }> {
  const command = npm('start', ...args);
  await eventually('it is up', () => command.output.includes('Aerie is up'), 120_000);
  return { command, run: JSON.parse(readFileSync(path.join(directory, 'run.json'), 'utf8')) as Run };
}

async function docksOf({ apiUrl, apiKey }: Run): Promise<readonly { readonly sn: string; readonly online: boolean }[]> {
  const response = await fetch(`${apiUrl}/api/v1/docks`, { headers: { authorization: `Bearer ${apiKey}` } });
  return ((await response.json()) as { items: { sn: string; online: boolean }[] }).items;
}

async function missionsOf({ apiUrl, apiKey }: Run): Promise<readonly unknown[]> {
  const response = await fetch(`${apiUrl}/api/v1/missions`, { headers: { authorization: `Bearer ${apiKey}` } });
  return ((await response.json()) as { items: unknown[] }).items;
}

it('flies one mission with `npm start -- --once`, exits 0 and leaves nothing running', async () => {
  const start = npm('start', '--once');
  await expect(start.exit.then((code) => ({ code, output: start.output }))).resolves.toMatchObject({
    code: 0,
    output: expect.stringContaining('Mission succeeded'),
  });
  expect(existsSync(path.join(directory, 'run.json'))).toBe(false);
}, 180_000);

it('stays up, keeps its keys in one private file, refuses a second start, and stops all it started on Ctrl-C', async () => {
  const { command: first, run } = await up();
  expect(statSync(path.join(directory, 'run.json')).mode & 0o777).toBe(0o600);
  expect(Object.keys(run)).toEqual(
    expect.arrayContaining([
      'apiUrl',
      'apiKey',
      'mqttUrl',
      'mqttUser',
      'mqttPassword',
      'natsUrl',
      'databaseUrl',
      'redisUrl',
      'objectStoreUrl',
      'grpc',
      'pids',
    ]),
  );
  firstSecrets = secretsOf(run);
  const authority = readFileSync((run['tls'] as { readonly ca: string }).ca, 'utf8');
  for (const url of Object.values(run['metrics'] as Readonly<Record<string, string>>)) {
    expect((await ask(url, authority)).status).toBe(200);
  }
  for (const url of Object.values(run['services'] as Readonly<Record<string, string>>)) {
    expect((await ask(`${url}/readyz`, authority)).status).toBe(200);
  }
  const online = async () => (await docksOf(run)).filter((dock) => dock.online).length;
  expect(await online()).toBe(3);

  const sim = npm('sim', '--register', '4');
  await eventually('four more docks are online', async () => (await online()) === 7, 60_000);
  sim.child.kill('SIGINT');
  await sim.exit;

  const second = npm('start');
  expect(await second.exit).toBe(1);
  expect(second.output).toContain('Aerie is already running');

  const { start: _start, ...pids } = run.pids;
  expect(Object.values(pids).every(isAlive)).toBe(true);
  first.child.kill('SIGINT');
  expect(await first.exit).toBe(0);
  expect(Object.values(pids).filter(isAlive)).toEqual([]);
}, 240_000);

it('says which port is in use and what to do', async () => {
  const server = net.createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port)),
  );
  const start = npm('start', '--once', '--port', String(port));
  expect(await start.exit).toBe(1);
  expect(start.output).toContain(`Port ${port} is in use`);
  server.close();
}, 60_000);

it('has new passwords and a new API key at the next start, and ends what a killed run left behind with `npm run down`', async () => {
  const { command, run } = await up('--no-flight', '--keep-key');
  keptKey = run.apiKey;
  const secrets = secretsOf(run);
  expect(firstSecrets.length).toBeGreaterThanOrEqual(5);
  expect(secrets.filter((secret) => secret.length < 20 || firstSecrets.includes(secret))).toEqual([]);
  command.child.kill('SIGKILL');
  await command.exit;
  const down = npm('down');
  expect(await down.exit).toBe(0);
  expect(Object.values(run.pids).filter(isAlive)).toEqual([]);
}, 240_000);

it('flies nothing with --no-flight, keeps its API key and its data with --keep-key, forgets both with --fresh, and has its docks all the same', async () => {
  const stop = async ({ child, exit }: Command): Promise<void> => {
    child.kill('SIGINT');
    await exit;
  };
  const second = await up('--no-flight', '--keep-key');
  const [docks, missions] = [await docksOf(second.run), await missionsOf(second.run)];
  await stop(second.command);
  const fresh = await up('--no-flight', '--keep-key', '--fresh');
  const [freshDocks, freshMissions] = [await docksOf(fresh.run), await missionsOf(fresh.run)];
  await stop(fresh.command);

  expect(second.command.output).not.toContain('Mission');
  expect(second.run.apiKey).toBe(keptKey);
  // Those that the run before had beside its own are not there now.
  expect(docks.filter(({ online }) => online)).toHaveLength(3);
  expect(docks.length).toBeGreaterThan(3);
  expect(freshDocks.map(({ online }) => online)).toEqual([true, true, true]);
  expect([missions.length > 0, freshMissions]).toEqual([true, []]);
  expect(fresh.run.apiKey).not.toBe(keptKey);
}, 300_000);
