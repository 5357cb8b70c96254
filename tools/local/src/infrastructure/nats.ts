import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUS_USERS, type BusUser } from '@aerie/bus-contract';
import { limitedNatsUser, natsAuthorization } from '@aerie/server-settings';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Binaries } from './binaries.js';
import { HERE, type Place } from './place.js';
import { LocalProcess, type Spawned } from './processes.js';
import type { RunCertificates, TlsIdentity } from './run-certificates.js';

/** Of one look; it is looked again as long as the server runs. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Of a server that is one of several. */
export interface NatsMember {
  /** Its own, and that of its process. */
  readonly name: string;
  readonly clusterPort: number;
  readonly peers: readonly string[];
}

/** May do everything: for taps and tests, and for programs of a release that knew no other user. */
const ADMIN = 'aerie';

/** A password for each program and for the commands, and one for whoever may do everything. */
export type NatsPasswords = Readonly<Record<BusUser | typeof ADMIN, string>>;

export const newNatsPasswords = (newPassword: () => string): NatsPasswords =>
  Object.fromEntries([...BUS_USERS, ADMIN].map((user) => [user, newPassword()])) as unknown as NatsPasswords;

/** Where each of them connects. `server`: host and port. */
export const natsUrlsAt = (
  server: string,
  passwords: NatsPasswords,
  scheme: 'nats' | 'tls' = 'nats',
): Readonly<Record<keyof NatsPasswords, string>> =>
  Object.fromEntries(
    Object.entries(passwords).map(([user, password]) => [user, `${scheme}://${user}:${password}@${server}`]),
  ) as unknown as Readonly<Record<keyof NatsPasswords, string>>;

export interface NatsOptions {
  readonly place?: Place;
  readonly member?: NatsMember;
  /** With them it speaks TLS alone, and asks for certificates of theirs. */
  readonly certificates?: RunCertificates | undefined;
}

/** A private NATS with JetStream. Passwords reach it in a file of this user, and no process tells them. */
export function spawnNats(
  directory: string,
  binaries: Binaries,
  port: number,
  passwords: NatsPasswords,
  { place = HERE, member, certificates }: NatsOptions = {},
): Spawned {
  const name = member?.name ?? 'nats';
  const data = path.join(directory, name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const config = path.join(data, 'nats.conf');
  // A cluster places no stream on a server that has no room for all of them when they are full; a server alone does not ask.
  const fileStore = member === undefined ? '2GB' : '4GB';
  writeFileSync(
    config,
    `listen: "${place.address}:${port}"\njetstream { store_dir: "${data}", max_file_store: ${fileStore} }\n` +
      natsAuthorization([
        { user: ADMIN, password: `"${passwords[ADMIN]}"`, rights: null },
        ...BUS_USERS.map((user) => limitedNatsUser(user, `"${passwords[user]}"`)),
      ]) +
      (certificates === undefined ? '' : tlsOf(certificates)) +
      (member === undefined ? '' : clusterOf(member, place)),
    { mode: 0o600 },
  );
  const command = {
    program: binaries.nats,
    args: ['-c', config],
    env: binaries.env,
  };
  const process = LocalProcess.start(directory, name, place.command(command));
  return { process, check: () => answers(`${place.address}:${port}`, passwords[ADMIN], certificates?.person) };
}

const tlsOf = ({ ca, server }: RunCertificates): string =>
  `tls { ca_file: "${ca}", cert_file: "${server.cert}", key_file: "${server.key}", verify: true, timeout: 5 }\n`;

const clusterOf = ({ name, clusterPort, peers }: NatsMember, { address }: Place): string =>
  `server_name: ${name}\ncluster { name: aerie, listen: "${address}:${clusterPort}", ` +
  `routes: [${peers.map((peer) => `"nats://${peer}:${clusterPort}"`).join(', ')}] }\n`;

/** Takes our password, which is new at each start, and has opened its streams. */
async function answers(server: string, password: string, tls: TlsIdentity | undefined): Promise<true> {
  const connection = await connect({
    servers: [server],
    user: ADMIN,
    pass: password,
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    reconnect: false,
    timeout: CONNECT_TIMEOUT_MS,
  });
  try {
    await jetstreamManager(connection);
    return true;
  } finally {
    await connection.close();
  }
}
