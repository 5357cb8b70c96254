import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Any constant that all test files share. */
const TEMPLATE_LOCK = 7_213_006;

/**
 * A database of its own for one test file, cloned from a template that is migrated once per `templateName`. The name
 * must change with the migrations, e.g. by their count.
 */
export async function createTestDatabase(
  adminUrl: string,
  templateName: string,
  migrate: (url: string) => Promise<void>,
): Promise<TestDatabase> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  const urlOf = (database: string): string => {
    const url = new URL(adminUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
  const name = `test_${randomBytes(6).toString('hex')}`;
  try {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [templateName]);
    if (rowCount === 0) {
      // A run that was ended in the middle of its migrations leaves a half-made template behind.
      await admin.query(`DROP DATABASE IF EXISTS "${templateName}_new" WITH (FORCE)`);
      await admin.query(`CREATE DATABASE "${templateName}_new"`);
      await migrate(urlOf(`${templateName}_new`));
      await admin.query(`ALTER DATABASE "${templateName}_new" RENAME TO "${templateName}"`);
    }
    await admin.query(`CREATE DATABASE "${name}" TEMPLATE "${templateName}"`);
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]).catch(() => undefined);
    await admin.end();
  }
  return {
    url: urlOf(name),
    async drop() {
      const client = new Client({ connectionString: adminUrl });
      await client.connect();
      await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
      await client.end();
    },
  };
}
