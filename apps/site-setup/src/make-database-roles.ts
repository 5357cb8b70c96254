// Makes the roles of Aerie in its database and ends. The owner of the database runs it before the first migration of a release
// that has roles; to run it again changes nothing but the passwords that have changed. See docs/operate/database.md.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errorChain } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import { ROLE_NAMES, makeRolesAt } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';

const { DATABASE_URL, DATABASE_ROLES_DIRECTORY } = readCommandConfig(COMMANDS['make-database-roles.js']);
const logger = createLogger('make-database-roles', 'info', 'stderr');
const passwords = Object.fromEntries(ROLE_NAMES.map((role) => [role, readPassword(role)]));
const said = await makeRolesAt(DATABASE_URL, passwords, logger).catch((error: unknown) => {
  process.stderr.write(`DATABASE_URL: PostgreSQL refuses what its owner has to do: ${errorChain(error)}\n`);
  return process.exit(1);
});
const lines = [...said, `The database has its ${ROLE_NAMES.length} roles, with the passwords that are there.`];
process.stdout.write(`${lines.join('\n')}\n`);

/** Says the path and never the content. */
function readPassword(role: string): string {
  const file = path.join(DATABASE_ROLES_DIRECTORY, `${role}-password`);
  const password = contentOf(file);
  if (password !== '') return password;
  process.stderr.write(`DATABASE_ROLES_DIRECTORY: there is no password in ${file}\n`);
  return process.exit(2);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return '';
  }
}
