import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { listening } from '@aerie/loopback';
import type { Binaries } from './binaries.js';
import { Problem } from './problem.js';
import { LocalProcess } from './processes.js';

/** A private NATS with JetStream. The password reaches it through its environment and lies in no file. */
export async function startNats(directory: string, binaries: Binaries, port: number, password: string) {
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
  if (!(await listening(port, 15_000, () => process.running))) {
    throw new Problem(`nats-server did not start:\n${process.lastLines()}`);
  }
  return { process, url: `nats://aerie:${password}@127.0.0.1:${port}` };
}
