import { ROLE_NAMES, makeRoles } from '@aerie/persistence';
import { Client } from 'pg';

/** By role. Who may do everything is the user `aerie`, for taps and tests. */
export type DatabasePasswords = Readonly<Record<string, string>>;

export const newDatabasePasswords = (newPassword: () => string): DatabasePasswords =>
  Object.fromEntries(ROLE_NAMES.map((role) => [role, newPassword()]));

/** The same database for another of its users, without what an address says of TLS: settings beside it say that. */
export function asRole(databaseUrl: string, role: string, passwords: DatabasePasswords): string {
  const password = passwords[role];
  if (password === undefined) throw new Error(`there is no role ${role}`);
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = password;
  url.search = '';
  return url.href;
}

/** Makes the roles of a site in a database, or gives them these passwords; `address` is of one who may do everything. */
export async function keepRoles(address: string | ClientAddress, passwords: DatabasePasswords): Promise<void> {
  const client = new Client(typeof address === 'string' ? { connectionString: address } : address);
  // A connection that breaks is told by the call that needs it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await makeRoles(client, passwords);
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface ClientAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly connectionTimeoutMillis: number;
}
