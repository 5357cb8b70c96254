import { randomUUID } from 'node:crypto';
import { type Finding, PEER_NAMES, Peer, UnavailableError, tlsOptions, tlsProblem } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type Connack, brokerFindings } from '@aerie/service-host';
import mqtt, { type MqttClient } from 'mqtt';
import { dockAcls } from '../dock/dock-acls.js';
import { BrokerUsers } from './broker-users.js';

const CONTROL = '$CONTROL/dynamic-security/v1';
const RESPONSE = `${CONTROL}/response`;
/** With 5,000 docks the plugin takes a third of a second for each change, and others wait before this one. */
const TIMEOUT_MS = 15_000;
/** A role of a dock with eight aircraft has 12 KiB. What is larger the broker could cut the connection for. */
const MAX_COMMAND_BYTES = 64 * 1024;
const KEEPALIVE_SECONDS = 15;

interface CommandResult {
  readonly command: string;
  readonly error?: string;
  readonly correlationData?: string;
}

type Command = { readonly command: string } & Readonly<Record<string, unknown>>;

export interface DynamicSecurityOptions {
  readonly broker: Peer | string;
  readonly username: string;
  readonly password: string;
  readonly logger: Logger;
}

/** Manages mosquitto's dynamic security plugin over its control topic: one client and one role for each dock. */
export class DynamicSecurity extends BrokerUsers {
  private readonly client: MqttClient;
  private readonly granted: Promise<Connack>;
  private readonly waiting = new Map<string, (results: CommandResult[]) => void>();

  constructor(private readonly options: DynamicSecurityOptions) {
    super();
    const { username, password, logger } = options;
    const broker = Peer.at(options.broker);
    this.client = mqtt.connect(broker.url, {
      ...tlsOptions(broker),
      protocolVersion: 5,
      clientId: `aerie-fleet-${randomUUID()}`,
      username,
      password,
      clean: true,
      keepalive: KEEPALIVE_SECONDS,
      reconnectPeriod: 1_000,
      queueQoSZero: false,
      resubscribe: false,
    });
    this.granted = new Promise((resolve, reject) => {
      this.client.once('connect', ({ properties }) => resolve(properties ?? {}));
      this.client.on('error', (error) => {
        const problem = tlsProblem(error, broker, PEER_NAMES.broker);
        if (problem !== undefined) reject(problem);
      });
    });
    // Whoever examines the broker is told.
    this.granted.catch(() => undefined);
    this.client.on('connect', () => {
      this.client.subscribe(RESPONSE, { qos: 1 }, (error) => {
        if (error) logger.warn({ err: error }, 'failed to subscribe to the answers of the broker');
      });
    });
    this.client.on('error', (error) =>
      logger.warn(
        { err: tlsProblem(error, broker, PEER_NAMES.broker) ?? error },
        'the connection to the broker failed',
      ),
    );
    this.client.on('message', (_topic, payload) => this.answered(payload));
  }

  /** What the broker grants, once it is there. Rejects where TLS refuses. */
  async examine(): Promise<Finding[]> {
    return brokerFindings(await this.granted, {
      ...{ sharedSubscriptions: false, packetBytes: MAX_COMMAND_BYTES, inFlight: 1 },
      ...{ sessionExpirySeconds: 0, keepaliveSeconds: KEEPALIVE_SECONDS },
    });
  }

  get connected(): boolean {
    return this.client.connected;
  }

  override async provision(dockSn: string, password: string): Promise<void> {
    const rolename = roleOf(dockSn);
    const acls = dockAcls(dockSn, []);
    // The plugin knows no "create or replace", so what exists is first created in vain and then changed. It writes its
    // whole file at each change, so a new dock is not changed once more.
    const results = await this.run([
      { command: 'createRole', rolename, acls },
      { command: 'createClient', username: dockSn, password, roles: [{ rolename }] },
    ]);
    if (results.some(({ command, error }) => command === 'createClient' && error !== undefined)) {
      await this.run([{ command: 'setClientPassword', username: dockSn, password }]);
    }
  }

  override async grantAircraft(dockSn: string, aircraftSns: readonly string[]): Promise<void> {
    const [rolename, acls] = [roleOf(dockSn), dockAcls(dockSn, aircraftSns)];
    // A broker that was set up anew may have lost the role; the dock then needs new credentials all the same.
    await this.run([
      { command: 'createRole', rolename, acls },
      { command: 'modifyRole', rolename, acls },
    ]);
  }

  override async remove(dockSn: string): Promise<void> {
    // The user first: only that ends a live connection.
    await this.run([
      { command: 'deleteClient', username: dockSn },
      { command: 'deleteRole', rolename: roleOf(dockSn) },
    ]);
  }

  override async disable(dockSn: string): Promise<void> {
    await this.run([{ command: 'disableClient', username: dockSn }]);
  }

  override async enable(dockSn: string): Promise<void> {
    await this.run([{ command: 'enableClient', username: dockSn }]);
  }

  async stop(): Promise<void> {
    await this.client.endAsync();
  }

  /** What is there already, or gone already, is as it should be. */
  private async run(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    const results = await this.ask(commands);
    const failed = results.find(({ error }) => error !== undefined && !/already exists|not found/i.test(error));
    if (failed !== undefined) {
      throw new UnavailableError('broker_refused', `the broker refused ${failed.command}: ${failed.error}`);
    }
    return results;
  }

  private ask(commands: readonly Command[]): Promise<CommandResult[]> {
    if (!this.client.connected) {
      throw new UnavailableError('broker_unavailable', 'the broker cannot be reached now, try again');
    }
    const correlationData = randomUUID();
    const payload = JSON.stringify({ commands: commands.map((command) => ({ ...command, correlationData })) });
    if (Buffer.byteLength(payload) > MAX_COMMAND_BYTES) {
      throw new Error(
        `a command for the broker has ${Buffer.byteLength(payload)} bytes, allowed are ${MAX_COMMAND_BYTES}`,
      );
    }
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.waiting.delete(correlationData);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new UnavailableError('broker_unavailable', 'the broker did not answer in time, try again'));
      }, TIMEOUT_MS);
      this.waiting.set(correlationData, (results) => {
        finish();
        resolve(results);
      });
      // QoS 0: the client keeps no copy of it, so a command that broke the connection is not sent again by itself. The
      // answer of the broker is what counts; without one the caller is told.
      this.client.publish(CONTROL, payload, { qos: 0 }, (error) => {
        if (!error) return;
        finish();
        reject(new UnavailableError('broker_unavailable', 'failed to reach the broker, try again', { cause: error }));
      });
    });
  }

  /** All replicas of this service see all answers; the correlation id says whose it is. */
  private answered(payload: Buffer): void {
    let responses: CommandResult[];
    try {
      ({ responses = [] } = JSON.parse(payload.toString('utf8')) as { responses?: CommandResult[] });
    } catch (error) {
      this.options.logger.warn({ err: error }, 'failed to read an answer of the broker');
      return;
    }
    const correlationData = responses[0]?.correlationData;
    if (correlationData !== undefined) this.waiting.get(correlationData)?.(responses);
  }
}

export const roleOf = (dockSn: string): string => `dock-${dockSn}`;
