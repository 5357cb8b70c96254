import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Binaries } from './binaries.js';
import { LocalProcess, type Spawned } from './processes.js';

/** Of one look; it is looked again as long as the server runs. */
const CONNECT_TIMEOUT_MS = 5_000;

/** A private NATS with JetStream. The password reaches it through its environment and lies in no file. */
export function spawnNats(directory: string, binaries: Binaries, port: number, password: string): Spawned {
  const data = path.join(directory, 'nats');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const config = path.join(data, 'nats.conf');
  writeFileSync(
    config,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${data}", max_file_store: 2GB }\n` +
      'authorization { user: aerie, password: $AERIE_NATS_PASSWORD }\n',
    { mode: 0o600 },
  );
  const process = LocalProcess.start(directory, 'nats', {
    program: binaries.nats,
    args: ['-c', config],
    env: { ...binaries.env, AERIE_NATS_PASSWORD: password },
  });
  return { process, check: () => answers(port, password) };
}

/** Takes our password, which is new at each start, and has opened its streams. */
async function answers(port: number, password: string): Promise<true> {
  const connection = await connect({
    servers: [`127.0.0.1:${port}`],
    user: 'aerie',
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
