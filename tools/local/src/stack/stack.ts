import path from 'node:path';
import { freePort, freePorts } from '@aerie/loopback';
import {
  INFRASTRUCTURE_NAMES,
  Infrastructure,
  type InfrastructureName,
  allOrFirstError,
  newPassword,
} from '../infrastructure/infrastructure.js';
import { securityFileOf } from '../infrastructure/mosquitto.js';
import { type OtherBroker } from '../infrastructure/other-broker.js';
import { Problem } from '../infrastructure/problem.js';
import { LocalProcess, untilReady } from '../infrastructure/processes.js';
import type { DockConnection } from './api.js';
import { type Asked, ask } from './ask.js';
import { behindTls } from './behind-tls.js';
import { migrate } from './migrate.js';
import { LESS_MEMORY, NODE_FLAGS, cleanEnvironment, makeKeyFile, runScript } from './programs.js';
import {
  SERVICE_NAMES,
  type Servers,
  type ServiceName,
  type ServicePlan,
  type ServicePorts,
  databaseSettings,
  keyFileOf,
  servicePlans,
  withoutWalls,
} from './services.js';
import { Supervisor } from './supervisor.js';

export interface StackOptions {
  readonly root: string;
  /** Data, logs and pids of this stack. */
  readonly directory: string;
  readonly packagesDirectory: string;
  /** Port of the API. `orAny`: another one where it is taken. Any free one when it is not given. */
  readonly apiPort?: { readonly port: number; readonly orAny: boolean };
  /** Of an earlier run: goes on being valid. */
  readonly apiKey?: string;
  /** More environment for single services. */
  readonly env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  /**
   * The programs of an earlier release do not say which process they are: whoever answers at their ports is believed. And
   * they know no users with limits.
   */
  readonly anonymous?: boolean;
  /** Whether servers and programs speak TLS alone, and secrets reach programs as files. */
  readonly tls?: boolean;
  /** `name=value`, beside those that every PostgreSQL of ours has. */
  readonly postgresSettings?: readonly string[];
  /** In mosquitto's place. */
  readonly otherBroker?: OtherBroker | undefined;
  /** The database as `makeDatabaseTemplate` left it, which is copied; otherwise it is made and migrated. */
  readonly databaseTemplate?: string | undefined;
  readonly say: (text: string) => void;
  /** Ends a start that is under way: what was started by then is stopped. */
  readonly signal?: AbortSignal;
  /** Programs that end by themselves are started again, from the first moment on; called after each restart. */
  readonly onRestarted?: () => void;
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
  /** Of its gRPC API; undefined where it has none. */
  readonly grpcAddress: string | undefined;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** Stops it in order, and says how it ended. */
  readonly stop: () => Promise<string | undefined>;
}

/** What the program of the edge says when somebody else listens on its port. */
const PORT_IN_USE = 'EADDRINUSE';
/** A planned stop may take 20 s. */
const STOP_WITHIN_MS = 25_000;

/** All of Aerie on this machine: private infrastructure and every service, each its own process. */
export class Stack {
  private readonly services = new Map<ServiceName, LocalProcess>();
  private readonly replicas = new Set<LocalProcess>();
  private readonly overrides = new Map<ServiceName, Readonly<Record<string, string>>>();
  /** They open everything in the storage of this stack. */
  readonly storageKeys = { accessKeyId: 'aerie-local', secretAccessKey: newPassword() };
  private readonly supervisor: Supervisor<ServiceName | InfrastructureName>;
  private plans: Readonly<Record<ServiceName, ServicePlan>>;
  private key = '';

  private constructor(
    readonly infrastructure: Infrastructure,
    private readonly options: StackOptions,
    private ports: ServicePorts,
  ) {
    this.plans = this.plansAt(ports);
    this.supervisor = new Supervisor({
      names: () => [...INFRASTRUCTURE_NAMES, ...this.services.keys()],
      isRunning: (name) => (isService(name) ? this.process(name) : infrastructure.process(name)).running,
      restart: (name, signal) => (isService(name) ? this.start(name, signal) : infrastructure.start(name, signal)),
      say: options.say,
      onRestarted: () => options.onRestarted?.(),
    });
  }

  /** Starts everything and waits until it is ready. When a part fails, or `signal` says so, nothing is left running. */
  static async up(options: StackOptions): Promise<Stack> {
    const { directory, packagesDirectory, postgresSettings = [], otherBroker, databaseTemplate, tls, say } = options;
    const [objectStore = 0, ingress = 0, fleet = 0, credential = 0, mission = 0, ...more] = await freePorts(10);
    const [missionGrpc = 0, credentialGrpc = 0, log = 0, logGrpc = 0, edgeTls = 0] = more;
    const infrastructure = await Infrastructure.plan({
      ...{ directory, packagesDirectory, postgresSettings, tls, say },
      ...(otherBroker === undefined ? {} : { other: { broker: otherBroker, askedPort: fleet } }),
      ...(databaseTemplate === undefined ? {} : { databaseTemplate }),
    });
    const stack = new Stack(infrastructure, options, {
      'object-store': objectStore,
      'mqtt-ingress': ingress,
      'fleet-service': fleet,
      'credential-service': credential,
      'mission-service': mission,
      'log-service': log,
      'mission-grpc': missionGrpc,
      'credential-grpc': credentialGrpc,
      'log-grpc': logGrpc,
      'edge-tls': edgeTls,
      edge: options.apiPort?.port ?? (await freePort()),
    });
    try {
      await stack.startAll();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  private async startAll(): Promise<void> {
    const { root, directory, say, signal } = this.options;
    say('Starting PostgreSQL, valkey, NATS and mosquitto …');
    // The edge beside them: until it listens, its port can be taken by somebody else.
    await allOrFirstError(['edge', 'infrastructure'], signal, (part, stopped) =>
      part === 'edge' ? this.startEdge(stopped) : this.infrastructure.startAll(stopped),
    );
    if (this.options.onRestarted !== undefined) this.supervisor.start();
    makeKeyFile(keyFileOf(directory));
    if (this.options.databaseTemplate === undefined) {
      say('Migrating …');
      await migrate(root, this.infrastructure, { say, ...(signal === undefined ? {} : { signal }) });
    }
    const { apiKey } = this.options;
    const printed = await runScript({
      script: path.join(root, 'apps', 'fleet-service', 'dist', 'create-api-key.js'),
      args: ['--name', 'local', '--replace', ...(apiKey === undefined ? [] : ['--keep'])],
      ...(apiKey === undefined ? {} : { input: apiKey }),
      ...{ env: this.commandEnv(databaseSettings(this.servers, 'fleet')), what: 'make an API key', say },
      ...(signal === undefined ? {} : { signal }),
    });
    this.key = printed.trim();
    say('Starting the services …');
    const others = SERVICE_NAMES.filter((name) => name !== 'edge');
    await allOrFirstError(others, signal, (name, stopped) => this.start(name, stopped));
  }

  private get servers(): Servers {
    const { infrastructure } = this;
    return this.options.anonymous === true ? withoutWalls(infrastructure, infrastructure.databaseUrl) : infrastructure;
  }

  private plansAt(ports: ServicePorts): Readonly<Record<ServiceName, ServicePlan>> {
    return servicePlans(this.options.root, this.servers, ports, this.storageKeys);
  }

  /** Of a command of fleet-service. */
  private commandEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { certificates } = this.infrastructure;
    return certificates === undefined ? env : behindTls(certificates, 'fleet-service', env);
  }

  private async startEdge(signal: AbortSignal): Promise<void> {
    const { apiPort, say } = this.options;
    try {
      await this.start('edge', signal);
    } catch (error) {
      if (!(error instanceof Problem) || !error.message.includes(PORT_IN_USE)) throw error;
      const taken = this.ports.edge;
      if (apiPort?.orAny === false) {
        throw new Problem(`Port ${taken} is in use. Choose another with --port, or end what listens there.`);
      }
      this.ports = { ...this.ports, edge: await freePort() };
      this.plans = this.plansAt(this.ports);
      say(`Port ${taken} is in use; the API gets port ${this.ports.edge}`);
      await this.start('edge', signal);
    }
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.ports.edge}`;
  }
  /** The same over TLS; undefined where nothing speaks it. */
  get apiTlsUrl(): string | undefined {
    return this.infrastructure.certificates === undefined ? undefined : `https://127.0.0.1:${this.ports['edge-tls']}`;
  }
  get apiKey(): string {
    return this.key;
  }
  get objectStoreUrl(): string {
    return `http://127.0.0.1:${this.ports['object-store']}`;
  }
  get grpcAddress(): string {
    return `127.0.0.1:${this.ports['mission-grpc']}`;
  }
  get credentialGrpcAddress(): string {
    return `127.0.0.1:${this.ports['credential-grpc']}`;
  }
  get logGrpcAddress(): string {
    return `127.0.0.1:${this.ports['log-grpc']}`;
  }

  get pids(): Record<string, number> {
    return {
      ...this.infrastructure.pids,
      ...Object.fromEntries([...this.services].map(([name, process]) => [name, process.pid])),
    };
  }

  /** Starts one service, also again after it was killed, and waits until it can do its work. */
  async start(name: ServiceName, signal: AbortSignal = NEVER): Promise<void> {
    const { directory, env, say } = this.options;
    const { script, env: own, readyUrl } = this.plans[name];
    const process_ = LocalProcess.start(directory, name, {
      program: process.execPath,
      args: [...NODE_FLAGS, script],
      env: { ...cleanEnvironment(), ...LESS_MEMORY, ...own, ...env?.[name], ...this.overrides.get(name) },
    });
    this.services.set(name, process_);
    await untilReady(process_, () => this.isReady(readyUrl, process_.pid), { say, signal });
  }

  /** One more process of a service beside the first, with a port of its own. */
  async startReplica(name: ServiceName, label: string): Promise<Replica> {
    const { directory, env, say } = this.options;
    const { script, env: own, portVariables, readyUrl } = this.plans[name];
    const ports = await freePorts(portVariables.length);
    const listens = Object.fromEntries(portVariables.map((variable, index) => [variable, String(ports[index])]));
    // Two replicas of the ingress with one id would evict each other.
    const identity = 'INGRESS_ID' in own ? { INGRESS_ID: `local-${label}` } : {};
    const given = { ...own, ...env?.[name], ...this.overrides.get(name), ...listens, ...identity };
    const process_ = LocalProcess.start(directory, `${name}-${label}`, {
      program: process.execPath,
      args: [...NODE_FLAGS, script],
      env: { ...cleanEnvironment(), ...LESS_MEMORY, ...given },
    });
    this.replicas.add(process_);
    const url = `${new URL(readyUrl).protocol}//127.0.0.1:${ports[0]}`;
    await untilReady(process_, () => this.isReady(`${url}/readyz`, process_.pid), { say, signal: NEVER });
    const grpcPort = portVariables.findIndex((variable) => variable.endsWith('_GRPC_PORT'));
    return {
      url,
      grpcAddress: grpcPort === -1 ? undefined : `127.0.0.1:${ports[grpcPort]}`,
      kill: () => process_.stop('SIGKILL'),
      stop: async () => {
        await process_.stop('SIGTERM', STOP_WITHIN_MS);
        return process_.ending;
      },
    };
  }

  /** Registers many docks at once; the broker is away meanwhile. */
  async importDocks(docks: readonly NewDock[]): Promise<DockConnection[]> {
    const { root, directory, say } = this.options;
    const { dockMqttUrl } = this.infrastructure;
    await this.infrastructure.process('mosquitto').stop();
    const printed = await runScript({
      script: path.join(root, 'apps', 'fleet-service', 'dist', 'import-docks.js'),
      args: ['--broker-file', securityFileOf(directory)],
      env: this.commandEnv({ ...databaseSettings(this.servers, 'fleet'), FLEET_DOCK_MQTT_URL: dockMqttUrl }),
      what: 'import the docks',
      input: docks.map((dock) => JSON.stringify(dock)).join('\n'),
      say,
    }).finally(() => this.infrastructure.start('mosquitto'));
    for (const name of ['fleet-service', 'mqtt-ingress'] as const) {
      const process_ = this.process(name);
      await untilReady(process_, () => this.isReady(this.plans[name].readyUrl, process_.pid), { say, signal: NEVER });
    }
    return printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DockConnection);
  }

  /** The token with which a further organisation is set up. */
  async createSetupLink(): Promise<string> {
    const printed = await runScript({
      script: path.join(this.options.root, 'apps', 'fleet-service', 'dist', 'create-setup-link.js'),
      args: [],
      env: this.commandEnv(databaseSettings(this.servers, 'fleet')),
      ...{ what: 'make a setup link', say: this.options.say },
    });
    return printed.trim();
  }

  /** What `/readyz` of a service says. */
  async readiness(name: ServiceName): Promise<string> {
    return (await this.ask(this.plans[name].readyUrl)).text;
  }

  /** Where each service listens for HTTP; `/metrics`, `/readyz` and `/healthz` are there. */
  get serviceUrls(): Readonly<Record<ServiceName, string>> {
    const url = (name: ServiceName) => [name, new URL(this.plans[name].readyUrl).origin] as const;
    return Object.fromEntries(SERVICE_NAMES.map(url)) as Record<ServiceName, string>;
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

  /** Asks the process itself: somebody else's program may answer at its port. */
  private async isReady(url: string, pid: number): Promise<true | string> {
    const answer = await this.ask(url).catch(() => undefined);
    if (answer === undefined) return 'it does not answer yet';
    const { status, text } = answer;
    const speaker = answer.headers['x-aerie-process'];
    const isTheOne = speaker === String(pid) || (speaker === undefined && this.options.anonymous === true);
    if (!isTheOne) return `another program (${String(speaker ?? 'not ours')}) answers at ${url}`;
    return status === 200 || text.trim();
  }

  /** Asks a program of this stack, over TLS where it speaks that. */
  ask(url: string): Promise<Asked> {
    return ask(url, this.infrastructure.certificates?.person.ca);
  }

  /** Ends a service at once, as a crash would. */
  async kill(name: ServiceName): Promise<void> {
    await this.process(name).stop('SIGKILL');
  }

  /** Ends all of it at once, as a power cut would: nothing of it is wanted any more. */
  async discard(): Promise<void> {
    await this.supervisor.stop();
    const ours = [...this.replicas, ...this.services.values()];
    await Promise.all(ours.map((process) => process.stop('SIGKILL')));
    await this.infrastructure.discard();
  }

  async stop(): Promise<void> {
    await this.supervisor.stop();
    // The doors first, then what stands behind them.
    for (const name of [...SERVICE_NAMES].reverse()) {
      if (name !== 'edge' && name !== 'mission-service' && name !== 'log-service') continue;
      await this.services.get(name)?.stop('SIGTERM', STOP_WITHIN_MS);
    }
    await Promise.all([...this.replicas].map((process) => process.stop('SIGTERM', STOP_WITHIN_MS)));
    await Promise.all([...this.services.values()].map((process) => process.stop('SIGTERM', STOP_WITHIN_MS)));
    await this.infrastructure.stop();
  }
}

const isService = (name: string): name is ServiceName => (SERVICE_NAMES as readonly string[]).includes(name);

const NEVER = new AbortController().signal;
