import { setTimeout as pause } from 'node:timers/promises';
import { InvalidError, PEER_NAMES, type Peer, tlsOptions, tlsProblem } from '@aerie/kernel';
import { type Logger, retryUntilReached } from '@aerie/observability';
import { Client, type ClientBase } from 'pg';
import { isOutage, sqlState } from '../database-errors.js';
import { passwordVerifier } from './password-verifier.js';
import { MIGRATOR, ROLE_NAMES, SCHEMAS } from './roles.js';

/** The same for all who make roles at one server: two at once would change one row of its catalogue. */
const ROLES_LOCK = 4_157_302;

/** How long an object that is given away is waited for. All who want it wait behind us. */
const LOCK_WAIT_MS = 500;
const LOCK_PAUSE_MS = 1_500;
const LOCK_TRIES = 400;
const LOCK_NOT_AVAILABLE = '55P03';

export type RolePasswords = Readonly<Record<string, string>>;

/**
 * Makes the roles of a site, or gives those that are there these passwords; takes from everybody else what PostgreSQL gives
 * to all; and hands to the migrator what another role owns in the schemas of a site. May be run again at any time, also
 * while programs run. `client` is connected to the database of the site as its owner, or as a superuser.
 * @returns what was made or changed, in words
 */
export async function makeRoles(client: ClientBase, passwords: RolePasswords): Promise<string[]> {
  const said: string[] = [];
  const verifiers = ROLE_NAMES.map((role) => [role, verifierOf(role, passwords)] as const);
  await client.query('SELECT pg_advisory_lock($1)', [ROLES_LOCK]);
  try {
    for (const [role, verifier] of verifiers) if (await keepRole(client, role, verifier)) said.push(`made ${role}`);
    await refuseMightyRoles(client);
    await letMigratorSee(client);
    await joinMigrator(client);
    await closeDatabase(client);
    said.push(...(await handOver(client)));
    return said;
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [ROLES_LOCK]);
  }
}

/** Lets the roles of a site, which are there, into a further database of the server. */
export async function closeDatabase(client: ClientBase): Promise<void> {
  const database = await one<string>(client, 'SELECT quote_ident(current_database())');
  const roles = ROLE_NAMES.join(', ');
  await client.query(`
    REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
    GRANT CONNECT ON DATABASE ${database} TO ${roles};
    GRANT CREATE ON DATABASE ${database} TO ${MIGRATOR};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    -- An extension that a migration asks for lies there.
    GRANT USAGE, CREATE ON SCHEMA public TO ${MIGRATOR};`);
}

function verifierOf(role: string, passwords: RolePasswords): string {
  const password = passwords[role];
  if (password === undefined) throw new Error(`there is no password for the role ${role}`);
  return passwordVerifier(password);
}

/** True where it was not there. */
async function keepRole(client: ClientBase, role: string, verifier: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  if (rowCount !== 0) {
    await client.query(`ALTER ROLE ${role} LOGIN PASSWORD '${verifier}'`);
    return false;
  }
  await client.query(
    `CREATE ROLE ${role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '${verifier}'`,
  );
  return true;
}

/** A role of ours that somebody has made by hand, or put into a group. */
async function refuseMightyRoles(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles r
      WHERE rolname = ANY($1) AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication
            OR EXISTS (SELECT 1 FROM pg_auth_members m
                        WHERE m.member = r.oid AND NOT (rolname = $2 AND m.roleid = 'pg_read_all_stats'::regrole)))
      ORDER BY rolname`,
    [ROLE_NAMES, MIGRATOR],
  );
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(', ');
  throw new Error(
    `${names}: may do more than a role of Aerie. Take it away (ALTER ROLE … NOSUPERUSER NOBYPASSRLS NOCREATEDB ` +
      'NOCREATEROLE NOREPLICATION, REVOKE … for what it is a member of), and run this again',
  );
}

/** A migration that waits says which transactions it waits for, where somebody who may lets it see those of others. */
async function letMigratorSee(client: ClientBase): Promise<void> {
  const maySay = await one<boolean>(client, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
  if (maySay === true) await client.query(`GRANT pg_read_all_stats TO ${MIGRATOR}`);
}

/** An owner who is no superuser has to be a member to give something to the migrator. */
async function joinMigrator(client: ClientBase): Promise<void> {
  const isMember = await one<boolean>(client, `SELECT pg_has_role(current_user, '${MIGRATOR}', 'USAGE')`);
  if (!isMember) await client.query(`GRANT ${MIGRATOR} TO CURRENT_USER`);
}

/** What REASSIGN OWNED would do; that takes nothing from the first user of a server. */
async function handOver(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ change: string; what: string; owner: string }>(FOREIGN, [
    [...SCHEMAS],
    MIGRATOR,
  ]);
  const owners = [...new Set(rows.map(({ owner }) => owner))];
  // Replicas of a release that knows no roles go on as they were.
  for (const owner of owners)
    if (await isNobody(client, owner)) await client.query(`GRANT ${MIGRATOR} TO ${quoted(owner)}`);
  for (const { change, what } of rows) await patiently(client, `${change} OWNER TO ${MIGRATOR}`, what);
  return rows.map(({ what, owner }) => `gave ${what} of ${owner} to ${MIGRATOR}`);
}

/** Neither a superuser nor a member. */
async function isNobody(client: ClientBase, role: string): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>(`SELECT NOT pg_has_role($1, '${MIGRATOR}', 'USAGE') AS is`, [
    role,
  ]);
  return rows[0]?.is === true;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What another role owns in the schemas of a site. A sequence of a column and an index go with their table. */
const FOREIGN = `
  SELECT change, what, owner FROM (
    SELECT 0 AS place, format('ALTER SCHEMA %I', nspname) AS change, format('schema %I', nspname) AS what,
           pg_get_userbyid(nspowner) AS owner
      FROM pg_namespace WHERE nspname = ANY($1)
    UNION ALL
    SELECT 1, format('ALTER %s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                                    WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass),
           c.oid::regclass::text, pg_get_userbyid(c.relowner)
      FROM pg_class c
     WHERE c.relnamespace = ANY(SELECT oid FROM pg_namespace WHERE nspname = ANY($1)) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
       AND NOT EXISTS (SELECT 1 FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                          AND c.relkind = 'S')
    UNION ALL
    SELECT 2, format('ALTER ROUTINE %s', p.oid::regprocedure), p.oid::regprocedure::text, pg_get_userbyid(p.proowner)
      FROM pg_proc p
     WHERE p.pronamespace = ANY(SELECT oid FROM pg_namespace WHERE nspname = ANY($1))
  ) AS objects
  WHERE owner <> $2
  ORDER BY place, what`;

/** Programs may run meanwhile: nobody waits behind us for longer than a moment. */
async function patiently(client: ClientBase, sql: string, what: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_WAIT_MS}; ${sql}; COMMIT`);
      return;
    } catch (error) {
      await client.query('ROLLBACK');
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      if (attempt === LOCK_TRIES) throw new Error(`${what} was held by a transaction all the time`, { cause: error });
      await pause(LOCK_PAUSE_MS);
    }
  }
}

async function one<Value>(client: ClientBase, sql: string): Promise<Value | undefined> {
  const { rows } = await client.query<[Value]>({ text: sql, rowMode: 'array' });
  return rows[0]?.[0];
}

const CONNECT_MS = 5_000;

/** Does so at a server, and waits for one that is away. */
export function makeRolesAt(peer: Peer, passwords: RolePasswords, logger: Logger): Promise<string[]> {
  const ssl = tlsOptions(peer);
  return retryUntilReached({
    what: 'PostgreSQL',
    logger,
    isPassing: (error) => !(error instanceof InvalidError) && isOutage(error),
    attempt: async () => {
      const client = new Client({
        ...{ connectionString: peer.url, connectionTimeoutMillis: CONNECT_MS, application_name: 'make-database-roles' },
        ...(ssl === undefined ? {} : { ssl }),
      });
      // A connection that breaks is told by the call that needs it.
      client.on('error', () => undefined);
      try {
        await client.connect();
        return await makeRoles(client, passwords);
      } catch (error) {
        throw tlsProblem(error, peer, PEER_NAMES.postgres) ?? error;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  });
}
