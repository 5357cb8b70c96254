import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { MIGRATOR } from '@aerie/persistence';
import { asRole } from '../infrastructure/database-roles.js';
import { Infrastructure, allOrFirstError } from '../infrastructure/infrastructure.js';
import { behindTls } from './behind-tls.js';
import { MIGRATED, runScript } from './programs.js';

interface Waiting {
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** Brings each service's schema up to date, by its own program. */
export async function migrate(
  root: string,
  {
    databaseUrl,
    databasePasswords,
    certificates,
  }: Pick<Infrastructure, 'databaseUrl' | 'databasePasswords' | 'certificates'>,
  { say, signal }: Waiting,
): Promise<void> {
  const plain = { DATABASE_URL: asRole(databaseUrl, MIGRATOR, databasePasswords) };
  const env = certificates === undefined ? plain : behindTls(certificates, MIGRATOR, plain);
  await allOrFirstError(MIGRATED, signal, (name, stopped) => {
    const script = path.join(root, 'apps', name, 'dist', 'migrate.js');
    return runScript({ script, env, what: `migrate ${name}`, say, signal: stopped });
  });
}

/**
 * Makes the database that many stacks begin with, once: four programs that migrate cost more than a copy of the files that
 * a server left which was stopped in order.
 */
export async function makeDatabaseTemplate(options: {
  readonly root: string;
  readonly directory: string;
  readonly packagesDirectory: string;
  readonly say: (text: string) => void;
}): Promise<string> {
  const { root, directory, packagesDirectory, say } = options;
  const infrastructure = await Infrastructure.plan({ directory, packagesDirectory, say });
  try {
    await infrastructure.start('postgres');
    await migrate(root, infrastructure, { say });
  } finally {
    await infrastructure.stop();
  }
  // Under this name it is whole.
  const template = path.join(directory, 'template');
  rmSync(template, { recursive: true, force: true });
  renameSync(path.join(directory, 'postgres'), template);
  return template;
}
