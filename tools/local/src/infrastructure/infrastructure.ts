import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { freePorts } from '@aerie/loopback';
import { FLEET_ACLS, INGRESS_ACLS, OBSERVER_ACLS } from '@aerie/server-settings';
import { type Binaries, findBinaries } from './binaries.js';
import { spawnMosquitto, spawnOpenMosquitto } from './mosquitto.js';
import { type OtherBroker, spawnOther } from './other-broker.js';
import { type NatsPasswords, natsUrlsAt, newNatsPasswords, spawnNats } from './nats.js';
import { type DatabasePasswords, keepRoles, newDatabasePasswords } from './database-roles.js';
import { spawnPostgres } from './postgres.js';
import { type LocalProcess, type Spawned, untilReady } from './processes.js';
import { RunCertificates } from './run-certificates.js';
import { type RedisPasswords, newRedisPasswords, redisUrlsAt, spawnValkey } from './valkey.js';

export interface MqttLogin {
  readonly username: string;
  readonly password: string;
}

export const INFRASTRUCTURE_NAMES = ['postgres', 'valkey', 'nats', 'mosquitto'] as const;
export type InfrastructureName = (typeof INFRASTRUCTURE_NAMES)[number];

export interface InfrastructureOptions {
  readonly directory: string;
  /** Keeps fetched programs, which several runs share. */
  readonly packagesDirectory: string;
  readonly openBroker?: boolean;
  /** Each server speaks TLS alone. */
  readonly tls?: boolean | undefined;
  /** Runs in mosquitto's place, and asks the fleet-service that listens at this port about docks. */
  readonly other?: { readonly broker: OtherBroker; readonly askedPort: number };
  readonly postgresSettings?: readonly string[];
  /** The files of a server that was stopped in order: the database begins as a copy of them. */
  readonly databaseTemplate?: string;
  readonly say: (text: string) => void;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
}

/** At a start, a server that ends at once is tried so often: the one before it may be on its way out still. */
const START_PAUSES_MS = [500, 2_000];

/** Private PostgreSQL, valkey, NATS and mosquitto, with data, logs and pids below one folder. */
export class Infrastructure {
  private readonly processes = new Map<InfrastructureName, LocalProcess>();

  private constructor(
    private readonly options: InfrastructureOptions,
    readonly binaries: Binaries,
    private readonly ports: Readonly<Record<InfrastructureName | 'docks', number>>,
    private readonly secrets: Readonly<Record<'postgres' | 'asking', string>>,
    /** Of each role of the database. */
    readonly databasePasswords: DatabasePasswords,
    private readonly natsPasswords: NatsPasswords,
    private readonly redisPasswords: RedisPasswords,
    readonly logins: Readonly<Record<'ingress' | 'fleet-service' | 'observer', MqttLogin>>,
    /** Undefined where nothing speaks TLS. */
    readonly certificates: RunCertificates | undefined,
  ) {}

  /** Chooses programs, ports and passwords; nothing runs yet. */
  static async plan(options: InfrastructureOptions): Promise<Infrastructure> {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const binaries = findBinaries(options.packagesDirectory, options.say);
    const [postgres = 0, valkey = 0, nats = 0, mosquitto = 0, docks = 0] = await freePorts(5);
    const login = (username: string): MqttLogin => ({ username, password: newPassword() });
    return new Infrastructure(
      options,
      binaries,
      { postgres, valkey, nats, mosquitto, docks },
      { postgres: newPassword(), asking: newPassword() },
      newDatabasePasswords(newPassword),
      newNatsPasswords(newPassword),
      newRedisPasswords(newPassword),
      { ingress: login('ingress'), 'fleet-service': login('fleet-service'), observer: login('observer') },
      options.tls === true ? await RunCertificates.make(options.directory) : undefined,
    );
  }

  static async up(options: InfrastructureOptions): Promise<Infrastructure> {
    const infrastructure = await Infrastructure.plan(options);
    try {
      await infrastructure.startAll(options.signal);
    } catch (error) {
      await infrastructure.stop();
      throw error;
    }
    return infrastructure;
  }

  get directory(): string {
    return this.options.directory;
  }

  /** Starts all four. What was started when one of them fails is left to `stop`. */
  async startAll(signal?: AbortSignal): Promise<void> {
    await allOrFirstError(INFRASTRUCTURE_NAMES, signal, async (name, stopped) => {
      for (const pauseMs of START_PAUSES_MS) {
        try {
          return await this.start(name, stopped);
        } catch (error) {
          if (stopped.aborted) throw error;
          const reason = error instanceof Error ? error.message : String(error);
          this.options.say(`${name} did not start, trying again: ${reason}`);
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      }
      await this.start(name, stopped);
    });
  }

  /** May do everything: for taps and tests. */
  get databaseUrl(): string {
    const url = `postgres://aerie:${this.secrets.postgres}@127.0.0.1:${this.ports.postgres}/aerie`;
    if (this.certificates === undefined) return url;
    const { cert, key } = this.certificates.clientOf('person');
    // As pg and psql read it.
    const tls = { sslmode: 'verify-full', sslrootcert: this.certificates.ca, sslcert: cert, sslkey: key };
    return `${url}?${new URLSearchParams(tls).toString().replaceAll('+', '%20')}`;
  }
  /** For each program with what it may do. */
  get redisUrls(): ReturnType<typeof redisUrlsAt> {
    const scheme = this.certificates === undefined ? 'redis' : 'rediss';
    return redisUrlsAt(`127.0.0.1:${this.ports.valkey}`, this.redisPasswords, scheme);
  }
  /** May do everything: for taps and tests. */
  get redisUrl(): string {
    return this.redisUrls.default;
  }
  /** For each program with what it may do. */
  get natsUrls(): ReturnType<typeof natsUrlsAt> {
    const scheme = this.certificates === undefined ? 'nats' : 'tls';
    return natsUrlsAt(`127.0.0.1:${this.ports.nats}`, this.natsPasswords, scheme);
  }
  /** May do everything: for taps and tests. */
  get natsUrl(): string {
    return this.natsUrls.aerie;
  }
  get mqttUrl(): string {
    return `${this.mqttScheme}://127.0.0.1:${this.ports.mosquitto}`;
  }

  /** Where docks connect: each under its own client id, whatever it asks for. */
  get dockMqttUrl(): string {
    return `${this.mqttScheme}://127.0.0.1:${this.ports.docks}`;
  }

  private get mqttScheme(): string {
    return this.certificates === undefined ? 'mqtt' : 'mqtts';
  }

  /** What a broker shows that asks fleet-service; undefined where mosquitto runs. */
  get askingSecret(): string | undefined {
    return this.options.other === undefined ? undefined : this.secrets.asking;
  }

  get pids(): Record<string, number> {
    return Object.fromEntries([...this.processes].map(([name, process]) => [name, process.pid]));
  }

  /** Starts one of the four, also again after it was killed: same port, same data, same password. */
  async start(name: InfrastructureName, signal: AbortSignal = NEVER): Promise<void> {
    const { process, check, settled } = await this.spawn(name);
    // Before it is waited for: what was started is stopped, whatever becomes of it.
    this.processes.set(name, process);
    try {
      await untilReady(process, check, { say: this.options.say, signal });
    } finally {
      settled?.();
    }
  }

  private spawn(name: InfrastructureName): Spawned | Promise<Spawned> {
    const { binaries, ports, secrets, logins, databasePasswords, certificates } = this;
    const { directory, postgresSettings, openBroker, other, databaseTemplate } = this.options;
    switch (name) {
      case 'postgres':
        return spawnPostgres(
          directory,
          ports.postgres,
          { aerie: secrets.postgres, roles: databasePasswords },
          {
            certificates,
            ...(postgresSettings && { settings: postgresSettings }),
            ...(databaseTemplate && { template: databaseTemplate }),
          },
        );
      case 'valkey':
        return spawnValkey(directory, binaries, ports.valkey, this.redisPasswords, { certificates });
      case 'nats':
        return spawnNats(directory, binaries, ports.nats, this.natsPasswords, { certificates });
      case 'mosquitto': {
        const listeners = { internal: ports.mosquitto, docks: ports.docks };
        if (openBroker === true) return spawnOpenMosquitto(directory, binaries, listeners);
        const users = [
          { ...logins.ingress, acls: INGRESS_ACLS },
          { ...logins['fleet-service'], acls: FLEET_ACLS },
          { ...logins.observer, acls: OBSERVER_ACLS },
        ];
        if (other === undefined) return spawnMosquitto(directory, binaries, listeners, users, { certificates });
        const asking = { port: other.askedPort, secret: secrets.asking };
        return spawnOther(directory, other.broker, listeners, users, asking);
      }
    }
  }

  /** Hands over what a release has made that knew no roles. */
  keepRoles(): Promise<void> {
    return keepRoles(this.databaseUrl, this.databasePasswords);
  }

  process(name: InfrastructureName): LocalProcess {
    const process = this.processes.get(name);
    if (process === undefined) throw new Error(`${name} was never started`);
    return process;
  }

  async kill(name: InfrastructureName): Promise<void> {
    await this.process(name).stop('SIGKILL');
  }

  /** At once. PostgreSQL is asked: it has processes of its own to end. */
  async discard(): Promise<void> {
    await Promise.all(
      [...this.processes].map(([name, process]) => process.stop(name === 'postgres' ? 'SIGQUIT' : 'SIGKILL')),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.processes].map(([name, process]) => process.stop(name === 'postgres' ? 'SIGINT' : 'SIGTERM')),
    );
  }
}

const NEVER = new AbortController().signal;

/**
 * Does the work for each name at once. When one fails, the others are told to stop and are waited for, so that nothing
 * is started behind the back of whoever cleans up; the first error is thrown.
 */
export async function allOrFirstError<Name extends string>(
  names: readonly Name[],
  signal: AbortSignal | undefined,
  work: (name: Name, stopped: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const failed = new AbortController();
  const stopped = signal === undefined ? failed.signal : AbortSignal.any([failed.signal, signal]);
  let first: { readonly error: unknown } | undefined;
  await Promise.all(
    names.map((name) =>
      work(name, stopped).catch((error: unknown) => {
        first ??= { error };
        failed.abort();
      }),
    ),
  );
  if (first !== undefined) throw first.error;
}

/** 24 random bytes as text that needs no escaping in any URL or configuration file, and is no number in any. */
export const newPassword = (): string => `k${randomBytes(24).toString('hex')}`;
