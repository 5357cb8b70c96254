import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { securityFileOf } from '../../infrastructure/mosquitto.js';
import { Problem } from '../../infrastructure/problem.js';
import { keyFileOf } from '../../stack/services.js';

/** Where each part lies: the machine that is lost, and the place that outlives it. */
export interface Places {
  readonly machine: string;
  readonly safe: string;
}

/** WAL files that PostgreSQL has handed over, on the machine; copied to the safe place by `carryOff`. */
export const archiveOf = ({ machine }: Places): string => path.join(machine, 'wal-archive');
const baseOf = ({ safe }: Places): string => path.join(safe, 'base');
const walOf = ({ safe }: Places): string => path.join(safe, 'wal');
const objectsOf = (directory: string): string => path.join(directory, 'objects');

/** `cp` alone may leave half a file under its name; PostgreSQL archives a file again whose command failed. */
export function archiveSettings(places: Places): string[] {
  const archive = archiveOf(places);
  // The folder of the machine is made anew by the start.
  const command = `mkdir -p "${archive}" && test ! -f "${archive}/%f" && cp "%p" "${archive}/%f.part" && mv "${archive}/%f.part" "${archive}/%f"`;
  return ['wal_level=replica', 'archive_mode=on', `archive_command=${command}`];
}

/** Content of a base backup that PostgreSQL makes anew, or that must not be there. [PostgreSQL, Making a Base Backup] */
const LEFT_OUT_FOLDERS = new Set(
  ['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp'].concat(
    'pg_subtrans',
  ),
);
const LEFT_OUT_FILES = /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*|backup_label|tablespace_map)$/;

/** A copy of the data folder of a running PostgreSQL, between `pg_backup_start` and `pg_backup_stop` of one session. */
export async function takeBase(places: Places, databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('drill', fast => true)`);
    const base = baseOf(places);
    await copyChanging(path.join(places.machine, 'postgres'), base, true);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(true)');
    writeFileSync(path.join(base, 'backup_label'), rows[0]?.labelfile ?? '', { mode: 0o600 });
  } finally {
    await client.end();
  }
}

/** A file may be gone when its turn comes, or change while it is read: the WAL of the backup mends both. */
async function copyChanging(from: string, to: string, isTop: boolean): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) {
      if (isTop && LEFT_OUT_FOLDERS.has(entry.name)) await mkdir(target, { mode: 0o700 });
      else await copyChanging(source, target, false);
    } else if (!LEFT_OUT_FILES.test(entry.name)) {
      await cp(source, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }
}

const ARCHIVED_WITHIN_MS = 60_000;

/**
 * Ends the present WAL file, waits until it is archived, and copies the archive to the safe place. What is committed from
 * here on is lost with the machine. Returns the instant up to which everything is kept, by the database's clock.
 */
export async function carryOffWal(places: Places, databaseUrl: string): Promise<Date> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ at: Date; file: string }>(
      'SELECT clock_timestamp() AS at, pg_walfile_name(pg_switch_wal()) AS file',
    );
    const { at, file } = rows[0] ?? { at: new Date(0), file: '' };
    const giveUpAtMs = Date.now() + ARCHIVED_WITHIN_MS;
    while (!existsSync(path.join(archiveOf(places), file))) {
      if (Date.now() > giveUpAtMs) throw new Problem(`PostgreSQL did not archive ${file} within a minute.`);
      await setTimeout(50);
    }
    // Nothing after this file: it would be known after all.
    mkdirSync(walOf(places), { recursive: true, mode: 0o700 });
    for (const name of readdirSync(archiveOf(places)).filter((each) => each.slice(0, 24) <= file))
      cpSync(path.join(archiveOf(places), name), path.join(walOf(places), name));
    return at;
  } finally {
    await client.end();
  }
}

/** The storage after the WAL: each file is there before the row that names it. */
export function copyFiles(places: Places): void {
  cpSync(objectsOf(places.machine), path.join(places.safe, 'objects'), { recursive: true });
  cpSync(securityFileOf(places.machine), path.join(places.safe, 'dynamic-security.json'));
  cpSync(keyFileOf(places.machine), path.join(places.safe, 'credential.keys'));
}

const LOST = ['postgres', 'nats', 'valkey', 'mosquitto', 'objects', 'wal-archive', 'credential.keys'];

/** All data of the machine, with nothing running. Logs stay, for whoever looks why a drill failed. */
export function wipe({ machine }: Places): void {
  for (const name of LOST) rmSync(path.join(machine, name), { recursive: true, force: true });
}

/** PostgreSQL replays the archive at its next start, to its end, and begins a new timeline. */
export function restore(places: Places): void {
  const data = path.join(places.machine, 'postgres');
  cpSync(baseOf(places), data, { recursive: true });
  chmodSync(data, 0o700);
  writeFileSync(
    path.join(data, 'postgresql.auto.conf'),
    `restore_command = 'cp "${walOf(places)}/%f" "%p"'\nrecovery_target_timeline = 'latest'\n`,
    { flag: 'a', mode: 0o600 },
  );
  writeFileSync(path.join(data, 'recovery.signal'), '', { mode: 0o600 });
  mkdirSync(archiveOf(places), { recursive: true, mode: 0o700 });
  cpSync(path.join(places.safe, 'objects'), objectsOf(places.machine), { recursive: true });
  cpSync(path.join(places.safe, 'dynamic-security.json'), securityFileOf(places.machine));
  cpSync(path.join(places.safe, 'credential.keys'), keyFileOf(places.machine));
}
