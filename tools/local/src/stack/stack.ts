import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePorts, isPortFree } from '@aerie/loopback';
import {
  INFRASTRUCTURE_NAMES,
  Infrastructure,
  type InfrastructureName,
  newPassword,
} from '../infrastructure/infrastructure.js';
import { securityFileOf } from '../infrastructure/mosquitto.js';
import { Problem } from '../infrastructure/problem.js';
import { LocalProcess } from '../infrastructure/processes.js';
import type { DockConnection } from './api.js';
import { SERVICE_NAMES, type ServiceName, type ServicePlan, keyFileOf, servicePlans } from './services.js';

export interface StackOptions {
  readonly root: string;
  /** Data, logs and pids of this stack. */
  readonly directory: string;
  readonly packagesDirectory: string;
  /** Port of the API; any free one when it is not given. */
  readonly apiPort?: number;
  /** More environment for single services. */
  readonly env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  /** `name=value`, beside those that every PostgreSQL of ours has. */
  readonly postgresSettings?: readonly string[];
  readonly say: (text: string) => void;
}

/** A dock as `import-docks` of fleet-service reads it. */
export interface NewDock {
  readonly sn: string;
  readonly model: string;
  readonly name: string;
  readonly aircraftSn?: string;
}

/** A second process of a service. */
export interface Replica {
  readonly url: string;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/** All of Aerie on this machine: private infrastructure and every service, each its own process. */
export class Stack {
  private readonly services = new Map<ServiceName, LocalProcess>();
  private readonly replicas = new Set<LocalProcess>();
  private readonly overrides = new Map<ServiceName, Readonly<Record<string, string>>>();

  private constructor(
    readonly infrastructure: Infrastructure,
    private readonly plans: Readonly<Record<ServiceName, ServicePlan>>,
    private readonly options: StackOptions,
    readonly apiUrl: string,
    readonly objectStoreUrl: string,
    readonly grpcAddress: string,
    readonly credentialGrpcAddress: string,
    readonly logGrpcAddress: string,
    readonly apiKey: string,
  ) {}

  static async up(options: StackOptions): Promise<Stack> {
    const { root, directory, packagesDirectory, postgresSettings = [], say } = options;
    const [objectStore = 0, ingress = 0, fleet = 0, credential = 0, mission = 0, ...more] = await freePorts(10);
    const [missionGrpc = 0, credentialGrpc = 0, log = 0, logGrpc = 0, anyPort = 0] = more;
    const edge = options.apiPort ?? anyPort;
    if (!(await isPortFree(edge))) {
      throw new Problem(`Port ${edge} is in use. Choose another with --port, or end what listens there.`);
    }
    say('Starting PostgreSQL, valkey, NATS and mosquitto …');
    const infrastructure = await Infrastructure.up({ directory, packagesDirectory, postgresSettings, say });
    try {
      const plans = servicePlans(
        root,
        infrastructure,
        {
          'object-store': objectStore,
          'mqtt-ingress': ingress,
          'fleet-service': fleet,
          'credential-service': credential,
          'mission-service': mission,
          'log-service': log,
          'mission-grpc': missionGrpc,
          'credential-grpc': credentialGrpc,
          'log-grpc': logGrpc,
          edge,
        },
        { accessKeyId: 'aerie-local', secretAccessKey: newPassword() },
      );
      makeKeyFile(keyFileOf(directory));
      say('Migrating …');
      const env = { DATABASE_URL: infrastructure.databaseUrl };
      await Promise.all(
        ['fleet-service', 'mission-service', 'credential-service', 'log-service'].map((name) =>
          runScript(path.join(root, 'apps', name, 'dist', 'migrate.js'), [], env, `migrate ${name}`),
        ),
      );
      const keyScript = path.join(root, 'apps', 'fleet-service', 'dist', 'create-api-key.js');
      const apiKey = await runScript(keyScript, ['--name', 'local', '--replace'], env, 'make an API key');
      const stack = new Stack(
        infrastructure,
        plans,
        options,
        `http://127.0.0.1:${edge}`,
        `http://127.0.0.1:${objectStore}`,
        `127.0.0.1:${missionGrpc}`,
        `127.0.0.1:${credentialGrpc}`,
        `127.0.0.1:${logGrpc}`,
        apiKey.trim(),
      );
      say('Starting the services …');
      await Promise.all(SERVICE_NAMES.map((name) => stack.start(name))).catch(async (error: unknown) => {
        await stack.stop();
        throw error;
      });
      return stack;
    } catch (error) {
      await infrastructure.stop();
      throw error;
    }
  }

  get pids(): Record<string, number> {
    return {
      ...this.infrastructure.pids,
      ...Object.fromEntries([...this.services].map(([name, process]) => [name, process.pid])),
    };
  }

  /** Starts one service, also again after it was killed, and waits until it can do its work. */
  async start(name: ServiceName): Promise<void> {
    const { directory, env } = this.options;
    const { script, env: own, readyUrl } = this.plans[name];
    const process_ = LocalProcess.start(directory, name, {
      program: process.execPath,
      args: ['--enable-source-maps', script],
      env: { ...cleanEnvironment(), ...own, ...env?.[name], ...this.overrides.get(name) },
    });
    this.services.set(name, process_);
    await waitUntilReady(name, readyUrl, process_);
  }

  /** One more process of a service beside the first, with a port of its own. */
  async startReplica(name: ServiceName, label: string): Promise<Replica> {
    const { directory, env } = this.options;
    const { script, env: own, portVariables } = this.plans[name];
    const ports = await freePorts(portVariables.length);
    const listens = Object.fromEntries(portVariables.map((variable, index) => [variable, String(ports[index])]));
    const process_ = LocalProcess.start(directory, `${name}-${label}`, {
      program: process.execPath,
      args: ['--enable-source-maps', script],
      env: { ...cleanEnvironment(), ...own, ...env?.[name], ...this.overrides.get(name), ...listens },
    });
    this.replicas.add(process_);
    const url = `http://127.0.0.1:${ports[0]}`;
    await waitUntilReady(`${name}-${label}`, `${url}/readyz`, process_);
    return { url, kill: () => process_.stop('SIGKILL') };
  }

  /** Registers many docks at once; the broker is away meanwhile. */
  async importDocks(docks: readonly NewDock[]): Promise<DockConnection[]> {
    const { root, directory } = this.options;
    const { databaseUrl, dockMqttUrl } = this.infrastructure;
    await this.infrastructure.process('mosquitto').stop();
    const printed = await runScript(
      path.join(root, 'apps', 'fleet-service', 'dist', 'import-docks.js'),
      ['--broker-file', securityFileOf(directory)],
      { DATABASE_URL: databaseUrl, FLEET_DOCK_MQTT_URL: dockMqttUrl },
      'import the docks',
      docks.map((dock) => JSON.stringify(dock)).join('\n'),
    ).finally(() => this.infrastructure.start('mosquitto'));
    for (const name of ['fleet-service', 'mqtt-ingress'] as const) {
      await waitUntilReady(name, this.plans[name].readyUrl, this.process(name));
    }
    return printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DockConnection);
  }

  metricsUrl(name: ServiceName): string {
    return this.plans[name].readyUrl.replace(/readyz$/, 'metrics');
  }

  /** Stops a service in order and starts it again with other settings. */
  async restartWith(name: ServiceName, env: Readonly<Record<string, string>>): Promise<void> {
    await this.process(name).stop();
    this.overrides.set(name, env);
    await this.start(name);
  }

  process(name: ServiceName): LocalProcess {
    const process = this.services.get(name);
    if (process === undefined) throw new Error(`${name} was never started`);
    return process;
  }

  /** Ends a service at once, as a crash would. */
  async kill(name: ServiceName): Promise<void> {
    await this.process(name).stop('SIGKILL');
  }

  /** Calls back with the name of every process that ends although nobody stopped it. */
  watch(onEnd: (name: ServiceName | InfrastructureName) => void): void {
    const seen = new Set<LocalProcess>();
    const look = (): void => {
      const all: [ServiceName | InfrastructureName, LocalProcess][] = [
        ...this.services,
        ...INFRASTRUCTURE_NAMES.map(
          (name) => [name, this.infrastructure.process(name)] as [InfrastructureName, LocalProcess],
        ),
      ];
      for (const [name, process] of all) {
        if (process.running || seen.has(process)) continue;
        seen.add(process);
        onEnd(name);
      }
    };
    setInterval(look, 200).unref();
  }

  async restart(name: ServiceName | InfrastructureName): Promise<void> {
    if (isService(name)) await this.start(name);
    else await this.infrastructure.start(name);
  }

  async stop(): Promise<void> {
    // The doors first, then what stands behind them.
    for (const name of [...SERVICE_NAMES].reverse()) {
      if (name !== 'edge' && name !== 'mission-service' && name !== 'log-service') continue;
      await this.services.get(name)?.stop('SIGTERM', 25_000);
    }
    await Promise.all([...this.replicas].map((process) => process.stop('SIGTERM', 25_000)));
    await Promise.all([...this.services.values()].map((process) => process.stop('SIGTERM', 25_000)));
    await this.infrastructure.stop();
  }
}

const isService = (name: string): name is ServiceName => (SERVICE_NAMES as readonly string[]).includes(name);

/** Readable by this user alone, like everything that opens something. */
function makeKeyFile(file: string): void {
  if (existsSync(file)) return;
  writeFileSync(file, `local ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
}

/** Services get what they are given, and nothing that happens to be set in this terminal. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LANG', 'TZ', 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => names.includes(name)));
}

async function waitUntilReady(name: string, url: string, process: LocalProcess): Promise<void> {
  const startedMs = Date.now();
  while (Date.now() - startedMs < READY_WITHIN_MS) {
    if (!process.running) break;
    try {
      if ((await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Problem(`${name} did not start. Its log, ${process.logFile}, ends with:\n${process.lastLines()}`);
}

function runScript(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  what: string,
  input = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { env: { ...cleanEnvironment(), ...env } });
    let output = '';
    let complaint = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    child.once('error', reject);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Problem(`Could not ${what}:\n${complaint || output}`));
    });
  });
}
