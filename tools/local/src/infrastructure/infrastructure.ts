import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { freePorts } from '@aerie/loopback';
import { type Binaries, findBinaries } from './binaries.js';
import { FLEET_ACLS, INGRESS_ACLS, OBSERVER_ACLS, startMosquitto, startOpenMosquitto } from './mosquitto.js';
import { startNats } from './nats.js';
import { startPostgres } from './postgres.js';
import type { LocalProcess } from './processes.js';
import { startValkey } from './valkey.js';

export interface MqttLogin {
  readonly username: string;
  readonly password: string;
}

export const INFRASTRUCTURE_NAMES = ['postgres', 'valkey', 'nats', 'mosquitto'] as const;
export type InfrastructureName = (typeof INFRASTRUCTURE_NAMES)[number];

/** Private PostgreSQL, valkey, NATS and mosquitto, with data, logs and pids below one folder. */
export class Infrastructure {
  private readonly processes = new Map<InfrastructureName, LocalProcess>();

  private constructor(
    readonly directory: string,
    readonly binaries: Binaries,
    private readonly ports: Readonly<Record<InfrastructureName | 'docks', number>>,
    private readonly secrets: Readonly<Record<'postgres' | 'valkey' | 'nats', string>>,
    readonly logins: Readonly<Record<'ingress' | 'fleet-service' | 'observer', MqttLogin>>,
    private readonly openBroker: boolean,
    private readonly postgresSettings: readonly string[],
  ) {}

  /** `packagesDirectory` keeps fetched programs, which several runs share. */
  static async up(options: {
    readonly directory: string;
    readonly packagesDirectory: string;
    readonly openBroker?: boolean;
    readonly postgresSettings?: readonly string[];
    readonly say: (text: string) => void;
  }): Promise<Infrastructure> {
    const { directory, packagesDirectory, say } = options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const binaries = findBinaries(packagesDirectory, say);
    const [postgres = 0, valkey = 0, nats = 0, mosquitto = 0, docks = 0] = await freePorts(5);
    const login = (username: string): MqttLogin => ({ username, password: newPassword() });
    const infrastructure = new Infrastructure(
      directory,
      binaries,
      { postgres, valkey, nats, mosquitto, docks },
      { postgres: newPassword(), valkey: newPassword(), nats: newPassword() },
      { ingress: login('ingress'), 'fleet-service': login('fleet-service'), observer: login('observer') },
      options.openBroker ?? false,
      options.postgresSettings ?? [],
    );
    try {
      await Promise.all(INFRASTRUCTURE_NAMES.map((name) => infrastructure.start(name)));
    } catch (error) {
      await infrastructure.stop();
      throw error;
    }
    return infrastructure;
  }

  get databaseUrl(): string {
    return `postgres://aerie:${this.secrets.postgres}@127.0.0.1:${this.ports.postgres}/aerie`;
  }
  get redisUrl(): string {
    return `redis://default:${this.secrets.valkey}@127.0.0.1:${this.ports.valkey}`;
  }
  get natsUrl(): string {
    return `nats://aerie:${this.secrets.nats}@127.0.0.1:${this.ports.nats}`;
  }
  get mqttUrl(): string {
    return `mqtt://127.0.0.1:${this.ports.mosquitto}`;
  }

  /** Where docks connect: each under its own client id, whatever it asks for. */
  get dockMqttUrl(): string {
    return `mqtt://127.0.0.1:${this.ports.docks}`;
  }

  get pids(): Record<string, number> {
    return Object.fromEntries([...this.processes].map(([name, process]) => [name, process.pid]));
  }

  /** Starts one of the four, also again after it was killed: same port, same data, same password. */
  async start(name: InfrastructureName): Promise<void> {
    const { directory, binaries, ports, secrets, logins } = this;
    switch (name) {
      case 'postgres':
        this.processes.set(
          name,
          (await startPostgres(directory, ports.postgres, secrets.postgres, this.postgresSettings)).process,
        );
        return;
      case 'valkey':
        this.processes.set(name, (await startValkey(directory, binaries, ports.valkey, secrets.valkey)).process);
        return;
      case 'nats':
        this.processes.set(name, (await startNats(directory, binaries, ports.nats, secrets.nats)).process);
        return;
      case 'mosquitto': {
        const users = [
          { ...logins.ingress, acls: INGRESS_ACLS },
          { ...logins['fleet-service'], acls: FLEET_ACLS },
          { ...logins.observer, acls: OBSERVER_ACLS },
        ];
        const started = this.openBroker
          ? await startOpenMosquitto(directory, binaries, { internal: ports.mosquitto, docks: ports.docks })
          : await startMosquitto(directory, binaries, { internal: ports.mosquitto, docks: ports.docks }, users);
        this.processes.set(name, started.process);
      }
    }
  }

  process(name: InfrastructureName): LocalProcess {
    const process = this.processes.get(name);
    if (process === undefined) throw new Error(`${name} was never started`);
    return process;
  }

  async kill(name: InfrastructureName): Promise<void> {
    await this.process(name).stop('SIGKILL');
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.processes].map(([name, process]) => process.stop(name === 'postgres' ? 'SIGINT' : 'SIGTERM')),
    );
  }
}

/**
 * 24 random bytes as text that needs no escaping in any URL or configuration file. It begins with a letter: nats-server
 * reads a variable as configuration, and would take `3e5…` for a number.
 */
export const newPassword = (): string => `k${randomBytes(24).toString('hex')}`;
