import type { Finding } from '@aerie/kernel';
import type { DataSource } from 'typeorm';
import { userOf } from './data-source.js';

/** The oldest that its makers still maintain, and on which all migrations were run. Tests run on 18. */
const LEAST_VERSION = 15;
const WHAT = 'PostgreSQL';

interface Settings {
  readonly version: number;
  readonly synchronous_commit: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly server_encoding: string;
  readonly read_only: string;
  readonly in_recovery: boolean;
  readonly max_connections: number;
  readonly reserved: number;
  readonly others: number;
}

/**
 * As they are for our role in our database: a role may have settings of its own. Of connections of other roles no more is
 * shown to us than whose they are, where to, and their names.
 */
const READ = `
  SELECT current_setting('server_version_num')::int / 10000 AS version,
         current_setting('synchronous_commit') AS synchronous_commit,
         current_setting('fsync') AS fsync,
         current_setting('full_page_writes') AS full_page_writes,
         current_setting('server_encoding') AS server_encoding,
         current_setting('default_transaction_read_only') AS read_only,
         pg_is_in_recovery() AS in_recovery,
         current_setting('max_connections')::int AS max_connections,
         current_setting('superuser_reserved_connections')::int AS reserved,
         (SELECT count(*)::int FROM pg_stat_activity
           WHERE datid IS NOT NULL AND usesysid IS NOT NULL AND application_name <> ALL ($1)) AS others`;

/** Examines the settings of the server for the pools of one replica. */
export async function examineDatabase(pools: readonly DataSource[]): Promise<Finding[]> {
  const [first] = pools;
  if (first === undefined) return [];
  const [settings] = await first.query<Settings[]>(READ, [pools.map((pool) => optionsOf(pool).applicationName ?? '')]);
  if (settings === undefined) return [];
  const strangers = await Promise.all(pools.map(findStranger));
  const wanted = pools.reduce((sum, pool) => sum + (optionsOf(pool).poolSize ?? 0), 0);
  return [...databaseFindings(settings, wanted), ...strangers.flat()];
}

/** A pool whose user is not the role that it is for. It works where that user may do more: then there is no wall. */
async function findStranger(pool: DataSource): Promise<Finding[]> {
  const role = userOf(pool);
  if (role === undefined) return [];
  const [row] = await pool.query<{ name: string }[]>('SELECT current_user AS name');
  if (row === undefined || row.name === role) return [];
  const message = `is ${row.name} where ${role} is meant: nothing keeps that user to what the service does (docs/operate/database.md)`;
  return [{ what: WHAT, field: 'user', message, isError: false }];
}

const optionsOf = (pool: DataSource) =>
  pool.options as { readonly applicationName?: string; readonly poolSize?: number };

function databaseFindings(settings: Settings, wanted: number): Finding[] {
  const findings: Finding[] = [];
  const refuse = (field: string, message: string): void =>
    void findings.push({ what: WHAT, field, message, isError: true });
  if (settings.version < LEAST_VERSION) {
    refuse('version', `is ${settings.version}, and ${LEAST_VERSION} is the least: upgrade the server`);
  }
  if (settings.synchronous_commit === 'off') {
    refuse(
      'synchronous_commit',
      'is off: what was accepted would be lost in a crash; set it to on (of the role too: ALTER ROLE … RESET synchronous_commit)',
    );
  }
  if (settings.fsync !== 'on') refuse('fsync', 'is off: a crash could destroy the database; set it to on');
  if (settings.full_page_writes !== 'on') {
    // ZFS and its like never write half a page, and are better off without.
    const message =
      'is off: unless the file system writes pages whole (ZFS), a crash could destroy the database; set it to on';
    findings.push({ what: WHAT, field: 'full_page_writes', message, isError: false });
  }
  if (settings.server_encoding !== 'UTF8') {
    refuse('server_encoding', `is ${settings.server_encoding}: create the database with ENCODING 'UTF8'`);
  }
  if (settings.in_recovery) refuse('DATABASE_URL', 'leads to a standby, which takes no writes: name the primary');
  if (settings.read_only === 'on')
    refuse('default_transaction_read_only', 'is on, and we have to write; set it to off');
  const room = settings.max_connections - settings.reserved - settings.others;
  if (room < wanted) {
    const message =
      `is ${settings.max_connections}, of which ${Math.max(0, room)} are free, and the pools of this replica want ${wanted}: ` +
      'raise it by as many for each replica, or put a pooler with sessions in between';
    findings.push({ what: WHAT, field: 'max_connections', message, isError: false });
  }
  return findings;
}
