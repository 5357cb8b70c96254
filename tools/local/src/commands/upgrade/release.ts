import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { freePorts } from '@aerie/loopback';
import { MIGRATOR } from '@aerie/persistence';
import { asRole } from '../../infrastructure/database-roles.js';
import type { Infrastructure } from '../../infrastructure/infrastructure.js';
import { LocalProcess, untilReady } from '../../infrastructure/processes.js';
import { LESS_MEMORY, MIGRATED, NODE_FLAGS, cleanEnvironment, runScript } from '../../stack/programs.js';
import {
  type ServiceName,
  type ServicePlan,
  type StorageKeys,
  servicePlans,
  withoutWalls,
} from '../../stack/services.js';

/** What the releases share, as those of a real site share it: servers, a storage, and where logs lie. */
export interface Site {
  readonly infrastructure: Infrastructure;
  readonly storage: StorageKeys;
  readonly storagePort: number;
  readonly env: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  readonly say: (text: string) => void;
}

const NEVER = new AbortController().signal;
const READY_ANSWER_MS = 10_000;
const STOP_WITHIN_MS = 25_000;

/** Which release it is, and where it was built. */
export interface ReleaseOptions {
  readonly version: string;
  readonly root: string;
  /** The user of PostgreSQL of a release that has one; undefined: it has roles. */
  readonly oneUserUrl?: string;
}

/** The programs of one release at ports of their own, beside those of another one. */
export class Release {
  private readonly processes = new Map<ServiceName, LocalProcess>();
  private starts = 0;

  private constructor(
    private readonly options: ReleaseOptions,
    private readonly site: Site,
    private readonly plans: Readonly<Record<ServiceName, ServicePlan>>,
    readonly apiUrl: string,
  ) {}

  static async of(options: ReleaseOptions, site: Site): Promise<Release> {
    const [ingress = 0, fleet = 0, credential = 0, mission = 0, log = 0, edge = 0, ...grpc] = await freePorts(9);
    const [missionGrpc = 0, credentialGrpc = 0, logGrpc = 0] = grpc;
    const ports = {
      ...{ 'object-store': site.storagePort, 'mqtt-ingress': ingress, 'fleet-service': fleet },
      ...{ 'credential-service': credential, 'mission-service': mission, 'log-service': log, edge },
      ...{ 'mission-grpc': missionGrpc, 'credential-grpc': credentialGrpc, 'log-grpc': logGrpc },
    };
    const servers = withoutWalls(site.infrastructure, options.oneUserUrl);
    const plans = servicePlans(options.root, servers, ports, site.storage);
    return new Release(options, site, plans, `http://127.0.0.1:${edge}`);
  }

  get version(): string {
    return this.options.version;
  }

  async start(...names: readonly ServiceName[]): Promise<void> {
    for (const name of names) {
      const { script, env: own, readyUrl } = this.plans[name];
      const { infrastructure, env, say } = this.site;
      // Two replicas of the ingress with one id would evict each other.
      const ingress =
        name === 'mqtt-ingress' ? { INGRESS_ID: `v${this.version.replaceAll('.', '-')}-${++this.starts}` } : {};
      const process_ = LocalProcess.start(infrastructure.directory, `${name}-${this.version}`, {
        program: process.execPath,
        args: [...NODE_FLAGS, script],
        env: { ...cleanEnvironment(), ...LESS_MEMORY, ...own, ...env[name], ...ingress },
      });
      this.processes.set(name, process_);
      await untilReady(process_, () => isReady(readyUrl), { say, signal: NEVER });
    }
  }

  /** One after the other, as an orchestrator that replaces them does. */
  async stop(...names: readonly ServiceName[]): Promise<void> {
    for (const name of names) {
      await this.processes.get(name)?.stop('SIGTERM', STOP_WITHIN_MS);
      this.processes.delete(name);
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.processes.values()].map((each) => each.stop('SIGTERM', STOP_WITHIN_MS)));
  }

  /** What has ended although nobody stopped it. */
  get ended(): string[] {
    return [...this.processes.values()]
      .filter(({ running }) => !running)
      .map(({ name, ending }) => `${name} ${ending}`);
  }

  async migrate(): Promise<void> {
    const { databaseUrl, databasePasswords } = this.site.infrastructure;
    const DATABASE_URL = this.options.oneUserUrl ?? asRole(databaseUrl, MIGRATOR, databasePasswords);
    const migrate = (name: ServiceName) => this.runWith({ DATABASE_URL }, name, 'migrate.js');
    await Promise.all(MIGRATED.map(migrate));
  }

  logFiles(directory: string): string[] {
    return readdirSync(path.join(directory, 'logs'))
      .filter((name) => name.endsWith(`-${this.version}.log`))
      .map((name) => path.join(directory, 'logs', name));
  }

  run(name: ServiceName, file: string, ...args: readonly string[]): Promise<string> {
    return this.runWith({}, name, file, ...args);
  }

  private runWith(
    env: Readonly<Record<string, string>>,
    name: ServiceName,
    file: string,
    ...args: readonly string[]
  ): Promise<string> {
    const { infrastructure, say } = this.site;
    return runScript({
      script: path.join(this.options.root, 'apps', name, 'dist', file),
      args,
      env: { ...this.plans[name].env, NATS_URL: infrastructure.natsUrl, ...env },
      what: `run ${file} of ${name} ${this.version}`,
      say,
    });
  }
}

async function isReady(url: string): Promise<true | string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(READY_ANSWER_MS) }).catch(() => undefined);
  if (response === undefined) return 'it does not answer yet';
  return response.ok || (await response.text()).trim();
}

/** How often a program said each thing that asks for a person. */
export function errorsIn(logFile: string): Map<string, number> {
  const said = new Map<string, number>();
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    if (!/"level":"(?:error|fatal)"/.test(line)) continue;
    const { msg = line, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    const what = err?.message === undefined ? msg : `${msg}: ${err.message}`;
    said.set(what, (said.get(what) ?? 0) + 1);
  }
  return said;
}
