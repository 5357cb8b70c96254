import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { REDIS_PROGRAMS, type RedisProgram } from '@aerie/bus-contract';
import { SERVER_SUITES, redisUser } from '@aerie/server-settings';
import { Redis } from 'ioredis';
import type { Binaries } from './binaries.js';
import { HERE, type Place } from './place.js';
import { LocalProcess, type Spawned } from './processes.js';
import type { RunCertificates, TlsIdentity } from './run-certificates.js';

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
  scheme: 'redis' | 'rediss' = 'redis',
): Readonly<Record<keyof RedisPasswords, string>> =>
  Object.fromEntries(
    Object.entries(passwords).map(([user, password]) => [user, `${scheme}://${user}:${password}@${server}`]),
  ) as unknown as Readonly<Record<keyof RedisPasswords, string>>;

export interface ValkeyOptions {
  readonly place?: Place;
  /** With them it speaks TLS alone, and asks for certificates of theirs. */
  readonly certificates?: RunCertificates | undefined;
}

/** A private valkey. Its configuration holds only hashes of passwords. */
export function spawnValkey(
  directory: string,
  binaries: Binaries,
  port: number,
  passwords: RedisPasswords,
  { place = HERE, certificates }: ValkeyOptions = {},
): Spawned {
  const data = path.join(directory, 'valkey');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const hash = createHash('sha256').update(passwords.default).digest('hex');
  const config = path.join(data, 'valkey.conf');
  writeFileSync(
    config,
    `${listenLines(port, certificates)}bind ${place.address}\ndir ${quoted(data)}\nappendonly yes\nappendfsync everysec\nsave ""\n` +
      `maxmemory-policy noeviction\nuser default on #${hash} ~* &* +@all\n` +
      REDIS_PROGRAMS.map((program) => `${redisUser(program, passwords[program])}\n`).join(''),
    { mode: 0o600 },
  );
  const command = { program: binaries.valkey, args: [config], env: binaries.env };
  const process = LocalProcess.start(directory, 'valkey', place.command(command));
  return { process, check: () => answers(place.address, port, passwords.default, certificates?.person) };
}

const listenLines = (port: number, certificates: RunCertificates | undefined): string =>
  certificates === undefined
    ? `port ${port}\n`
    : `port 0\ntls-port ${port}\ntls-auth-clients yes\ntls-ciphers ${SERVER_SUITES}\ntls-ca-cert-file ${quoted(certificates.ca)}\n` +
      `tls-cert-file ${quoted(certificates.server.cert)}\ntls-key-file ${quoted(certificates.server.key)}\n`;

/** A folder may have spaces and quotes in its name. */
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** Takes our password, which is new at each start, and has read its data. */
async function answers(host: string, port: number, password: string, tls: TlsIdentity | undefined): Promise<true> {
  const client = new Redis({
    host,
    port,
    password,
    ...(tls === undefined ? {} : { tls: { ...tls } }),
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
