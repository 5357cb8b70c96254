import { Client } from 'pg';
import { MIGRATOR } from '@aerie/persistence';
import { newPassword } from '../../infrastructure/infrastructure.js';

const NAME = 'former';
const REFUSED = '42501';

/**
 * The one user of PostgreSQL of a release that knows no roles: it owns the database and makes everything in it, and is no
 * superuser, whom no wall would hold.
 */
export class FormerUser {
  private constructor(
    private readonly adminUrl: string,
    readonly url: string,
  ) {}

  static async make(adminUrl: string): Promise<FormerUser> {
    const url = new URL(adminUrl);
    [url.username, url.password] = [NAME, newPassword()];
    const user = new FormerUser(adminUrl, url.href);
    const database = url.pathname.slice(1);
    await user.asAdmin(
      `CREATE ROLE ${NAME} LOGIN PASSWORD '${url.password}'; ALTER DATABASE ${database} OWNER TO ${NAME}`,
    );
    return user;
  }

  /** Once none of its programs is left. False: it still reads what it once made. */
  async takeRightsAway(): Promise<boolean> {
    await this.asAdmin(`REVOKE ${MIGRATOR} FROM ${NAME}`);
    return run(this.url, 'SELECT FROM mission.mission LIMIT 0').then(
      () => false,
      (error: unknown) => (error as { code?: unknown }).code === REFUSED,
    );
  }

  /** Before its programs come back. */
  giveRightsBack(): Promise<void> {
    return this.asAdmin(`GRANT ${MIGRATOR} TO ${NAME}`);
  }

  private asAdmin(sql: string): Promise<void> {
    return run(this.adminUrl, sql);
  }
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  // A connection that breaks is told by the call that needs it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
}
