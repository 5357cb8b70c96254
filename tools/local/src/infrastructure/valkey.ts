import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { REDIS_PROGRAMS, type RedisProgram } from '@aerie/bus-contract';
import { redisUser } from '@aerie/server-settings';
import { Redis } from 'ioredis';
import type { Binaries } from './binaries.js';
import { HERE, type Place } from './place.js';
import { LocalProcess, type Spawned } from './processes.js';

/** Of one look; it is looked again as long as the server runs. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Who may do everything is `default`: for taps and tests, and for programs of a release that knew no other user. */
export type RedisPasswords = Readonly<Record<RedisProgram | 'default', string>>;

export const newRedisPasswords = (newPassword: () => string): RedisPasswords =>
  Object.fromEntries(['default', ...REDIS_PROGRAMS].map((user) => [user, newPassword()])) as unknown as RedisPasswords;

/** Where each of them connects. `server`: host and port. */
export const redisUrlsAt = (
  server: string,
  passwords: RedisPasswords,
): Readonly<Record<keyof RedisPasswords, string>> =>
  Object.fromEntries(
    Object.entries(passwords).map(([user, password]) => [user, `redis://${user}:${password}@${server}`]),
  ) as unknown as Readonly<Record<keyof RedisPasswords, string>>;

/** A private valkey. Its configuration holds only hashes of passwords. */
export function spawnValkey(
  directory: string,
  binaries: Binaries,
  port: number,
  passwords: RedisPasswords,
  place: Place = HERE,
): Spawned {
  const data = path.join(directory, 'valkey');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const hash = createHash('sha256').update(passwords.default).digest('hex');
  const config = path.join(data, 'valkey.conf');
  writeFileSync(
    config,
    `port ${port}\nbind ${place.address}\ndir ${quoted(data)}\nappendonly yes\nappendfsync everysec\nsave ""\n` +
      `maxmemory-policy noeviction\nuser default on #${hash} ~* &* +@all\n` +
      REDIS_PROGRAMS.map((program) => `${redisUser(program, passwords[program])}\n`).join(''),
    { mode: 0o600 },
  );
  const command = { program: binaries.valkey, args: [config], env: binaries.env };
  const process = LocalProcess.start(directory, 'valkey', place.command(command));
  return { process, check: () => answers(place.address, port, passwords.default) };
}

/** A folder may have spaces and quotes in its name. */
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** Takes our password, which is new at each start, and has read its data. */
async function answers(host: string, port: number, password: string): Promise<true> {
  const client = new Redis({
    host,
    port,
    password,
    lazyConnect: true,
    connectTimeout: ANSWER_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  // What the connection complains of is told by the calls below.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return true;
  } finally {
    client.disconnect();
  }
}
