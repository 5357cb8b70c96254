import { DOERS, MIGRATOR, ROLE_NAMES, SCHEMAS, roleOf } from '@aerie/persistence';
import type { ProgramName } from './containers.js';
import type { Folder } from './folder.js';

/** Whom the image of PostgreSQL makes at its first start. */
const DATABASE_OWNER = 'aerie';

/**
 * Each program gets the user that it connects with, and a service the password of its engine too. Whoever makes the roles
 * has all passwords, and whoever migrates has no service's.
 */
export function keepDatabaseLogins(
  programs: Readonly<Record<ProgramName, Folder>>,
  postgres: Folder,
  newPassword: () => string,
): void {
  const roles = programs['database-roles'];
  const login = (folder: Folder, user: string, password: string): void => {
    folder.write('database-user', user);
    folder.write('database-password', password);
  };
  login(roles, DATABASE_OWNER, postgres.keep('password', newPassword));
  const passwords = new Map(ROLE_NAMES.map((role) => [role, roles.keep(`${role}-password`, newPassword)]));
  login(programs.migrator, MIGRATOR, passwords.get(MIGRATOR) ?? '');
  for (const schema of SCHEMAS) {
    const [api, engine] = DOERS.map((doer) => roleOf(schema, doer)) as [string, string];
    const program = programs[`${schema}-service`];
    login(program, api, passwords.get(api) ?? '');
    program.write('database-engine-password', passwords.get(engine) ?? '');
  }
}
