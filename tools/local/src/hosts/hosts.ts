import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { MIGRATOR } from '@aerie/persistence';
import { FLEET_ACLS, INGRESS_ACLS, OBSERVER_ACLS } from '@aerie/server-settings';
import { type Binaries, findBinaries } from '../infrastructure/binaries.js';
import { asRole, newDatabasePasswords } from '../infrastructure/database-roles.js';
import { type MqttLogin, newPassword } from '../infrastructure/infrastructure.js';
import { spawnMosquitto } from '../infrastructure/mosquitto.js';
import { natsUrlsAt, newNatsPasswords, spawnNats } from '../infrastructure/nats.js';
import { spawnPostgres } from '../infrastructure/postgres.js';
import { LocalProcess, type Spawned, untilReady } from '../infrastructure/processes.js';
import { newRedisPasswords, redisUrlsAt, spawnValkey } from '../infrastructure/valkey.js';
import { LESS_MEMORY, MIGRATED, NODE_FLAGS, cleanEnvironment, makeKeyFile, runScript } from '../stack/programs.js';
import {
  SERVICE_NAMES,
  type ServiceName,
  type ServicePlan,
  type ServicePorts,
  databaseSettings,
  keyFileOf,
  servicePlans,
} from '../stack/services.js';
import { HOST_NAMES, type HostName, addressOf, placeOf } from './network.js';

/** A namespace has all ports to itself, so each host has the same ones. */
export const SERVER_PORTS = {
  postgres: 5432,
  valkey: 6379,
  nats: 4222,
  natsCluster: 6222,
  mosquitto: 1883,
  docks: 1884,
} as const;
const PORTS: ServicePorts = {
  edge: 8080,
  'mqtt-ingress': 8081,
  'fleet-service': 8082,
  'credential-service': 8083,
  'mission-service': 8084,
  'log-service': 8085,
  'mission-grpc': 9084,
  'credential-grpc': 9083,
  'log-grpc': 9085,
  'object-store': 9000,
};
/** The host with the servers of which there is one. */
export const SERVERS_AT: HostName = 'a';

export interface HostsOptions {
  readonly root: string;
  readonly directory: string;
  readonly packagesDirectory: string;
  /** More environment for single services. */
  readonly env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  readonly say: (text: string) => void;
}

/**
 * All of Aerie on three hosts: each has one of every program that scales and one server of a NATS cluster, and one of them
 * PostgreSQL, valkey and the broker too. The storage is outside.
 */
export class Hosts {
  private readonly processes: LocalProcess[] = [];
  private readonly passwords = { postgres: newPassword() };
  readonly databasePasswords = newDatabasePasswords(newPassword);
  private readonly redisPasswords = newRedisPasswords(newPassword);
  private readonly natsPasswords = newNatsPasswords(newPassword);
  private readonly storage = { accessKeyId: newPassword(), secretAccessKey: newPassword() };
  readonly logins: Readonly<Record<'ingress' | 'fleet-service' | 'observer', MqttLogin>> = {
    ingress: login('ingress'),
    'fleet-service': login('fleet-service'),
    observer: login('observer'),
  };
  readonly mqttUrl = `mqtt://${addressOf(SERVERS_AT)}:${SERVER_PORTS.mosquitto}`;
  readonly databaseUrl = `postgres://aerie:${this.passwords.postgres}@${addressOf(SERVERS_AT)}:${SERVER_PORTS.postgres}/aerie`;
  private key = '';

  private constructor(private readonly options: HostsOptions) {}

  static async up(options: HostsOptions): Promise<Hosts> {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const hosts = new Hosts(options);
    try {
      await hosts.startAll();
      return hosts;
    } catch (error) {
      await hosts.stop();
      throw error;
    }
  }

  get apiKey(): string {
    return this.key;
  }

  /** The API at each of the hosts. */
  readonly doors: Readonly<Record<HostName, string>> = Object.fromEntries(
    HOST_NAMES.map((host) => [host, `http://${addressOf(host)}:${PORTS.edge}`]),
  ) as Record<HostName, string>;

  metricsUrl(host: HostName, name: ServiceName): string {
    return this.plansOf(host)[name].readyUrl.replace(/readyz$/, 'metrics');
  }

  private async startAll(): Promise<void> {
    const { root, directory, packagesDirectory, say } = this.options;
    const binaries = findBinaries(packagesDirectory, say);
    await Promise.all(this.servers(binaries).map(async (spawned) => this.ready(await spawned)));
    makeKeyFile(keyFileOf(directory));
    const migrator = { DATABASE_URL: asRole(this.databaseUrl, MIGRATOR, this.databasePasswords) };
    for (const name of MIGRATED) {
      await runScript({
        script: path.join(root, 'apps', name, 'dist', 'migrate.js'),
        env: migrator,
        what: `migrate ${name}`,
        say,
      });
    }
    const script = path.join(root, 'apps', 'fleet-service', 'dist', 'create-api-key.js');
    const env = databaseSettings(this, 'fleet');
    this.key = (await runScript({ script, args: ['--name', 'hosts'], env, what: 'make an API key', say })).trim();
    await this.startService('outside', 'object-store');
    for (const host of HOST_NAMES) {
      await Promise.all(
        SERVICE_NAMES.filter((name) => name !== 'object-store').map((name) => this.startService(host, name)),
      );
    }
  }

  private servers(binaries: Binaries): readonly (Spawned | Promise<Spawned>)[] {
    const { directory } = this.options;
    const { logins } = this;
    const databaseLogins = { aerie: this.passwords.postgres, roles: this.databasePasswords };
    const place = placeOf(SERVERS_AT);
    const listeners = { internal: SERVER_PORTS.mosquitto, docks: SERVER_PORTS.docks };
    return [
      spawnPostgres(directory, SERVER_PORTS.postgres, databaseLogins, { settings: ['max_connections=300'], place }),
      spawnValkey(directory, binaries, SERVER_PORTS.valkey, this.redisPasswords, { place }),
      spawnMosquitto(
        directory,
        binaries,
        listeners,
        [
          { ...logins.ingress, acls: INGRESS_ACLS },
          { ...logins['fleet-service'], acls: FLEET_ACLS },
          { ...logins.observer, acls: OBSERVER_ACLS },
        ],
        { place },
      ),
      ...HOST_NAMES.map((host) =>
        spawnNats(directory, binaries, SERVER_PORTS.nats, this.natsPasswords, {
          place: placeOf(host),
          member: {
            name: `nats-${host}`,
            clusterPort: SERVER_PORTS.natsCluster,
            // Not itself: a server that begins a cluster with a route to itself may count one peer too many.
            peers: HOST_NAMES.filter((other) => other !== host).map(addressOf),
          },
        }),
      ),
    ];
  }

  private async ready({ process, check, settled }: Spawned): Promise<void> {
    this.processes.push(process);
    try {
      await untilReady(process, check, { say: this.options.say, signal: NEVER });
    } finally {
      settled?.();
    }
  }

  private plansOf(at: HostName | 'outside'): Readonly<Record<ServiceName, ServicePlan>> {
    const { root, directory } = this.options;
    const only = addressOf(SERVERS_AT);
    const servers = {
      databaseUrl: this.databaseUrl,
      databasePasswords: this.databasePasswords,
      redisUrls: redisUrlsAt(`${only}:${SERVER_PORTS.valkey}`, this.redisPasswords),
      // Its own server first; it learns of the others from that.
      natsUrls: natsUrlsAt(`${addressOf(at)}:${SERVER_PORTS.nats}`, this.natsPasswords),
      mqttUrl: this.mqttUrl,
      dockMqttUrl: `mqtt://${only}:${SERVER_PORTS.docks}`,
      logins: this.logins,
      askingSecret: undefined,
      certificates: undefined,
      directory,
    };
    const addresses = { own: addressOf(at), storage: addressOf('outside') };
    return servicePlans(root, servers, PORTS, this.storage, addresses);
  }

  private async startService(at: HostName | 'outside', name: ServiceName): Promise<void> {
    const { directory, env, say } = this.options;
    const { script, env: own, readyUrl } = this.plansOf(at)[name];
    const identity = 'INGRESS_ID' in own ? { INGRESS_ID: `host-${at}` } : {};
    const cluster = 'NATS_URL' in own ? { NATS_STREAM_REPLICAS: String(HOST_NAMES.length) } : {};
    const command = {
      program: process.execPath,
      args: [...NODE_FLAGS, script],
      env: { ...cleanEnvironment(), ...LESS_MEMORY, ...own, ...identity, ...cluster, ...env?.[name] },
    };
    const process_ = LocalProcess.start(directory, `${name}-${at}`, placeOf(at).command(command));
    this.processes.push(process_);
    const check = async (): Promise<true | string> => {
      const response = await fetch(readyUrl, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      return response === undefined ? 'it does not answer yet' : response.ok || (await response.text());
    };
    await untilReady(process_, check, { say, signal: NEVER });
  }

  /** Those that ended by themselves: a cut is no reason to. */
  get ended(): readonly string[] {
    return this.processes.filter(({ running }) => !running).map(({ name, ending }) => `${name} ${ending}`);
  }

  async stop(): Promise<void> {
    const isServer = ({ name }: LocalProcess): boolean => /^(postgres|valkey|mosquitto|nats-)/.test(name);
    const programs = this.processes.filter((each) => !isServer(each));
    await Promise.all(programs.map((each) => each.stop('SIGTERM', STOP_WITHIN_MS)));
    const servers = this.processes.filter(isServer);
    await Promise.all(servers.map((each) => each.stop(each.name === 'postgres' ? 'SIGINT' : 'SIGTERM')));
  }
}

const NEVER = new AbortController().signal;
/** A planned stop may take 20 s. */
const STOP_WITHIN_MS = 25_000;

function login(username: string): MqttLogin {
  return { username, password: newPassword() };
}
