import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUS_USERS, type BusUser } from '@aerie/bus-contract';
import { limitedNatsUser, natsAuthorization } from '@aerie/server-settings';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Binaries } from './binaries.js';
import { HERE, type Place } from './place.js';
import { LocalProcess, type Spawned } from './processes.js';

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
export const natsUrlsAt = (server: string, passwords: NatsPasswords): Readonly<Record<keyof NatsPasswords, string>> =>
  Object.fromEntries(
    Object.entries(passwords).map(([user, password]) => [user, `nats://${user}:${password}@${server}`]),
  ) as unknown as Readonly<Record<keyof NatsPasswords, string>>;

/** In the environment of the server. */
const variableOf = (user: string): string => `AERIE_NATS_PASSWORD_${user.toUpperCase().replaceAll('-', '_')}`;

/** A private NATS with JetStream. Passwords reach it through its environment and lie in no file. */
export function spawnNats(
  directory: string,
  binaries: Binaries,
  port: number,
  passwords: NatsPasswords,
  place: Place = HERE,
  member?: NatsMember,
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
        { user: ADMIN, password: `$${variableOf(ADMIN)}`, rights: null },
        ...BUS_USERS.map((user) => limitedNatsUser(user, `$${variableOf(user)}`)),
      ]) +
      (member === undefined ? '' : clusterOf(member, place)),
    { mode: 0o600 },
  );
  const command = {
    program: binaries.nats,
    args: ['-c', config],
    env: {
      ...binaries.env,
      ...Object.fromEntries(Object.entries(passwords).map(([user, password]) => [variableOf(user), password])),
    },
  };
  const process = LocalProcess.start(directory, name, place.command(command));
  return { process, check: () => answers(`${place.address}:${port}`, passwords[ADMIN]) };
}

const clusterOf = ({ name, clusterPort, peers }: NatsMember, { address }: Place): string =>
  `server_name: ${name}\ncluster { name: aerie, listen: "${address}:${clusterPort}", ` +
  `routes: [${peers.map((peer) => `"nats://${peer}:${clusterPort}"`).join(', ')}] }\n`;

/** Takes our password, which is new at each start, and has opened its streams. */
async function answers(server: string, password: string): Promise<true> {
  const connection = await connect({
    servers: [server],
    user: ADMIN,
    pass: password,
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
