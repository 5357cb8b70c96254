import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { accepts, freePort } from '@aerie/loopback';
import { eventually } from './eventually.js';

/** A server of one test alone, which may be killed, frozen and wiped. It keeps its port and its data over a restart. */
export interface PrivateServer {
  readonly url: string;
  /** Of the process that runs now, or ran last. */
  pid(): number;
  /** Starts it, also again after it was killed. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Stops it in the middle of whatever it does, with its connections open, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Ends it at once, as a lost machine would. */
  kill(): Promise<void>;
  /** Ends it and deletes its data. */
  remove(): Promise<void>;
}

/** A program needs its time on a busy machine. */
const START_WITHIN_MS = 30_000;

export interface PrivateProgram {
  readonly program: string;
  /** Of its address. */
  readonly scheme: string;
  readonly argumentsFor: (directory: string, port: number) => string[];
  readonly env?: (directory: string, port: number) => Readonly<Record<string, string>>;
  /** Whether it can do its work; default: it takes connections. */
  readonly isReady?: (port: number) => Promise<boolean>;
}

/** NATS with JetStream, unless told otherwise, without any user. `settings` are lines of its configuration. */
export const startPrivateNats = (
  settings: readonly string[] = [],
  { jetstream = true }: { readonly jetstream?: boolean } = {},
): Promise<PrivateServer> =>
  startPrivate({
    program: programOf('AERIE_TEST_BIN_NATS'),
    scheme: 'nats',
    argumentsFor: (directory, port) => {
      const file = path.join(directory, 'nats.conf');
      writeFileSync(file, `${settings.join('\n')}\n`);
      return ['-c', file, '-a', '127.0.0.1', '-p', String(port), ...(jetstream ? ['-js', '-sd', directory] : [])];
    },
  });

/**
 * A broker without any user. It writes its sessions down at every change, so that they outlive a kill. `settings` are more
 * lines of its configuration; they win over ours.
 */
export const startPrivateMosquitto = (settings: readonly string[] = []): Promise<PrivateServer> =>
  startPrivate({
    program: programOf('AERIE_TEST_BIN_MOSQUITTO'),
    scheme: 'mqtt',
    argumentsFor: (directory, port) => writeBrokerConfig(directory, port, settings),
  });

function writeBrokerConfig(directory: string, port: number, settings: readonly string[]): string[] {
  const file = path.join(directory, 'mosquitto.conf');
  const lines = [
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${directory}/`,
    'autosave_interval 1',
    'autosave_on_changes true',
    'max_queued_messages 100000',
    'max_inflight_messages 500',
    'set_tcp_nodelay true',
    ...settings,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return ['-c', file];
}

/** Valkey without any user. `settings` are more lines of its configuration; they win over ours. */
export const startPrivateValkey = (settings: readonly string[] = []): Promise<PrivateServer> =>
  startPrivate({
    program: programOf('AERIE_TEST_BIN_VALKEY'),
    scheme: 'redis',
    argumentsFor: (directory, port) => {
      const file = path.join(directory, 'valkey.conf');
      const isTls = settings.some((setting) => setting.startsWith('tls-'));
      const lines = [
        ...(isTls ? ['port 0', `tls-port ${port}`, 'tls-auth-clients no'] : [`port ${port}`]),
        ...['bind 127.0.0.1', `dir ${directory}`, 'save ""', 'appendonly yes', 'maxmemory-policy noeviction'],
        ...settings,
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      return [file];
    },
  });

/** PostgreSQL with one user, whose password is in `url`. `settings` are of the form `name=value`. */
export async function startPrivatePostgres(settings: readonly string[] = []): Promise<PrivateServer> {
  const password = 'spec-password';
  const [initdb, postgres] = [programOf('AERIE_TEST_BIN_INITDB'), programOf('AERIE_TEST_BIN_POSTGRES')];
  const { program, prefix } = asOrdinaryUser(postgres);
  const server = await startPrivate({
    program,
    scheme: 'postgres',
    argumentsFor: (directory, port) => {
      const data = path.join(directory, 'data');
      const passwordFile = path.join(directory, 'password');
      writeFileSync(passwordFile, password);
      const make = asOrdinaryUser(initdb);
      const cluster = ['-D', data, '-U', 'aerie', '--locale=C', '-E', 'UTF8', '--auth=scram-sha-256', '--no-sync'];
      const made = spawnSync(make.program, [...make.prefix, ...cluster, `--pwfile=${passwordFile}`], {
        encoding: 'utf8',
      });
      if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
      const own = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings];
      return [...prefix, '-D', data, '-p', String(port), ...own.flatMap((setting) => ['-c', setting])];
    },
    isReady: (port) => takesSessions(`postgres://aerie:${password}@127.0.0.1:${port}/postgres`),
  });
  return { ...server, url: server.url.replace('://', `://aerie:${password}@`).concat('/postgres') };
}

/** It takes connections a little before it takes sessions. One that wants certificates of clients refuses this session. */
async function takesSessions(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  return client.connect().then(
    () => client.end().then(() => true),
    (error: { readonly code?: unknown }) => error.code === '28000',
  );
}

/** PostgreSQL refuses to run as root. In a user namespace it sees another user, while all files stay ours. */
function asOrdinaryUser(program: string): { readonly program: string; readonly prefix: readonly string[] } {
  if (process.getuid?.() !== 0) return { program, prefix: [] };
  return { program: 'unshare', prefix: ['--user', '--map-user=65534', '--map-group=65534', program] };
}

/** Fails with a clear line where the test runner did not say where the program is. */
export function programOf(variable: string): string {
  const program = process.env[variable];
  if (program !== undefined && program !== '') return program;
  throw new Error(`${variable} is not set: this suite starts a server of its own. Run it by \`npm test\`.`);
}

/** Starts any program that listens on one port; what it writes lies in a folder of its own. */
export async function startPrivate({
  program,
  scheme,
  argumentsFor,
  env: own,
  isReady = accepts,
}: PrivateProgram): Promise<PrivateServer> {
  const directory = mkdtempSync(path.join(tmpdir(), `aerie-${scheme}-`));
  const port = await freePort();
  const args = argumentsFor(directory, port);
  let child: ChildProcess | undefined;

  const running = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (child === undefined || !running()) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  // A test process that ends early leaves no server behind.
  process.once('exit', () => child?.kill('SIGKILL'));

  const server: PrivateServer = {
    url: `${scheme}://127.0.0.1:${port}`,
    pid: () => child?.pid ?? 0,
    kill,
    async start() {
      const libraries = [process.env['AERIE_TEST_BIN_LIBRARY_PATH'], process.env['LD_LIBRARY_PATH']];
      const library = { LD_LIBRARY_PATH: libraries.filter((entry) => entry).join(':') };
      const env = { ...process.env, ...library, ...own?.(directory, port) };
      child = spawn(program, args, { env, stdio: 'ignore' });
      child.once('error', () => undefined);
      const isUp = (): Promise<boolean> => {
        if (!running()) throw new Error(`${program} ended with code ${child?.exitCode}`);
        return isReady(port);
      };
      await eventually(`${path.basename(program)} is ready`, isUp, START_WITHIN_MS);
    },
    async freeze() {
      child?.kill('SIGSTOP');
      // The signal reaches a busy process a little later.
      await eventually(`${path.basename(program)} stands still`, () => isStopped(child?.pid));
    },
    thaw: () => void child?.kill('SIGCONT'),
    async remove() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

function isStopped(pid = 0): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
