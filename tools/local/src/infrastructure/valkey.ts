import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { listening } from '@aerie/loopback';
import type { Binaries } from './binaries.js';
import { Problem } from './problem.js';
import { LocalProcess } from './processes.js';

/** A private valkey. Its configuration holds only a hash of the password. */
export async function startValkey(directory: string, binaries: Binaries, port: number, password: string) {
  const data = path.join(directory, 'valkey');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const hash = createHash('sha256').update(password).digest('hex');
  const config = path.join(data, 'valkey.conf');
  writeFileSync(
    config,
    `port ${port}\nbind 127.0.0.1\ndir ${data}\nappendonly yes\nappendfsync everysec\nsave ""\n` +
      `maxmemory-policy noeviction\nuser default on #${hash} ~* &* +@all\n`,
    { mode: 0o600 },
  );
  const process = LocalProcess.start(directory, 'valkey', {
    program: binaries.valkey,
    args: [config],
    env: binaries.env,
  });
  if (!(await listening(port, 15_000, () => process.running))) {
    throw new Problem(`valkey did not start:\n${process.lastLines()}`);
  }
  return { process, url: `redis://default:${password}@127.0.0.1:${port}` };
}
