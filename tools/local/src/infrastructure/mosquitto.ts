import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { accepts } from '@aerie/loopback';
import {
  BROKER_SETTINGS,
  type BrokerUser,
  type DynamicSecurity,
  SERVER_SUITES,
  withUsers,
} from '@aerie/server-settings';
import mqtt from 'mqtt';
import type { Binaries } from './binaries.js';
import { HERE, type Place } from './place.js';
import { LocalProcess, type Spawned } from './processes.js';
import type { RunCertificates, TlsIdentity } from './run-certificates.js';

/** Of one look; it is looked again as long as the broker runs. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Our own programs and taps connect to one listener, docks to the other. */
export interface BrokerPorts {
  readonly internal: number;
  readonly docks: number;
}

export interface MosquittoOptions {
  readonly place?: Place;
  /** With them both listeners speak TLS alone, and that of programs asks for certificates of theirs. */
  readonly certificates?: RunCertificates | undefined;
}

interface Access extends MosquittoOptions {
  readonly access: readonly string[];
  readonly place: Place;
  readonly user?: BrokerUser | undefined;
}

/**
 * A private mosquitto with its dynamic security plugin: everything is refused unless a role allows it, also SUBSCRIBE
 * and shared subscriptions (an `acl_file` filters reads only at delivery, and a dock could join the ingress's group).
 */
export function spawnMosquitto(
  directory: string,
  binaries: Binaries,
  ports: BrokerPorts,
  users: readonly BrokerUser[],
  { place = HERE, certificates }: MosquittoOptions = {},
): Spawned {
  const securityFile = securityFileOf(directory);
  // By its name only when all of it is there: a start may be killed in the middle.
  const unfinished = `${securityFile}.start`;
  writeFileSync(unfinished, JSON.stringify(withUsers(readSecurity(securityFile), users), null, 1), { mode: 0o600 });
  renameSync(unfinished, securityFile);
  const access = [
    `plugin ${binaries.dynamicSecurityPlugin}`,
    `plugin_opt_config_file ${securityFile}`,
    'allow_anonymous false',
  ];
  return spawn(directory, binaries, ports, { access, place, certificates, user: users[0] });
}

/** A broker without any user, for tests of single adapters. */
export function spawnOpenMosquitto(directory: string, binaries: Binaries, ports: BrokerPorts): Spawned {
  return spawn(directory, binaries, ports, { access: ['allow_anonymous true'], place: HERE });
}

/** Where the plugin keeps its users. It writes the file while it runs. */
export const securityFileOf = (directory: string): string => path.join(dataFolder(directory), 'dynamic-security.json');

function dataFolder(directory: string): string {
  const data = path.join(directory, 'mosquitto');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return data;
}

function spawn(
  directory: string,
  binaries: Binaries,
  ports: BrokerPorts,
  { access, place, certificates, user }: Access,
): Spawned {
  const data = dataFolder(directory);
  const config = path.join(data, 'mosquitto.conf');
  writeFileSync(
    config,
    [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      ...access,
      ...BROKER_SETTINGS,
      `persistence_location ${data}/`,
      'log_dest stderr',
      'log_type error',
      'log_type warning',
      'log_type notice',
      // Options of a listener follow it, so these come last.
      `listener ${ports.internal} ${place.address}`,
      ...(certificates === undefined ? [] : shown(certificates, { toPrograms: true })),
      `listener ${ports.docks} ${place.address}`,
      ...(certificates === undefined ? [] : shown(certificates, { toPrograms: false })),
      // A dock that could choose its client id could take over the session of another dock, or of the ingress.
      'use_username_as_clientid true',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const command = { program: binaries.mosquitto, args: ['-c', config], env: binaries.env };
  const process_ = LocalProcess.start(directory, 'mosquitto', place.command(command));
  return { process: process_, check: () => answers(place.address, ports, user, certificates?.person) };
}

/** Docks have a password and no certificate. */
function shown({ ca, server }: RunCertificates, { toPrograms }: { readonly toPrograms: boolean }): string[] {
  const own = [`certfile ${server.cert}`, `keyfile ${server.key}`, 'tls_version tlsv1.2'];
  return toPrograms ? [...own, `ciphers ${SERVER_SUITES}`, `cafile ${ca}`, 'require_certificate true'] : own;
}

/** Takes the password of a user of ours, which is new at each start, and listens for docks too. */
export async function answers(
  address: string,
  { internal, docks }: BrokerPorts,
  user: BrokerUser | undefined,
  tls?: TlsIdentity,
): Promise<true | string> {
  const client = await mqtt.connectAsync(`${tls === undefined ? 'mqtt' : 'mqtts'}://${address}:${internal}`, {
    ...tls,
    protocolVersion: 5,
    clientId: `aerie-start-${randomUUID()}`,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(user === undefined ? {} : { username: user.username, password: user.password }),
  });
  await client.endAsync(true);
  return (await accepts(docks, address)) || `nobody listens on port ${docks}`;
}

function readSecurity(file: string): DynamicSecurity | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DynamicSecurity) : undefined;
}
