import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BrokerUser } from '@aerie/server-settings';
import { type BrokerPorts, answers } from './mosquitto.js';
import { LocalProcess, type Spawned } from './processes.js';

/** As mosquitto has it. */
const QUEUE = 100_000;

/** A broker in mosquitto's place that asks fleet-service about docks, for `npm run test:brokers`. */
export interface OtherBroker {
  readonly program: string;
  /** The name of its file of settings follows them. */
  readonly args: readonly string[];
}

/** Where and how it asks. */
export interface Asking {
  readonly port: number;
  readonly secret: string;
}

/** The variable by which `npm run test:brokers` tells the scenarios which broker they run on. */
export const OTHER_BROKER = 'AERIE_OTHER_BROKER';

export function otherBroker(env: NodeJS.ProcessEnv = process.env): OtherBroker | undefined {
  const given = env[OTHER_BROKER];
  return given === undefined || given === '' ? undefined : (JSON.parse(given) as OtherBroker);
}

/** It reads its settings from a file: `tools/local/brokers/hivemq`. */
export function spawnOther(
  directory: string,
  { program, args }: OtherBroker,
  ports: BrokerPorts,
  users: readonly BrokerUser[],
  { port, secret }: Asking,
): Spawned {
  const folder = path.join(directory, 'other-broker');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, 'settings.json');
  const settings = {
    folder,
    innerPort: ports.internal,
    docksPort: ports.docks,
    queue: QUEUE,
    askUrl: `http://127.0.0.1:${port}`,
    secret,
    users: Object.fromEntries(users.map(({ username, password, acls }) => [username, { password, acls }])),
  };
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
  const process_ = LocalProcess.start(directory, 'mosquitto', { program, args: [...args, file] });
  return { process: process_, check: () => answers('127.0.0.1', ports, users[0]) };
}
