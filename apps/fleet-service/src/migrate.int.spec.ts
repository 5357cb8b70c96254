import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ROLE_NAMES, makeRoles } from '@aerie/persistence';
import { type Authority, type PrivateServer, makeAuthority, startPrivatePostgres } from '@aerie/testing';
import { Client } from 'pg';

describe('a migration that gets its certificates, user and password as files', () => {
  let authority: Authority;
  let postgres: PrivateServer;
  beforeAll(async () => {
    authority = await makeAuthority();
    const { cert, key } = await authority.issue();
    postgres = await startPrivatePostgres(['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`]);
  });
  afterAll(async () => {
    await postgres?.remove();
    authority?.remove();
  });

  const migrate = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('./migrate.js', import.meta.url))], {
      ...{ env: { ...process.env, ...env }, encoding: 'utf8', timeout: 60_000 },
    });

  it('runs over TLS, and is refused by the setting with the file of another authority', async () => {
    const { hostname, port, username, password } = new URL(postgres.url);
    const env = {
      DATABASE_URL: `postgres://${hostname}:${port}/postgres`,
      DATABASE_USER_FILE: authority.write('user', username),
      DATABASE_PASSWORD_FILE: authority.write('password', `${password}\n`),
    };
    const stranger = await makeAuthority('another authority');
    const refused = migrate({ ...env, DATABASE_CA_FILE: stranger.ca });
    stranger.remove();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('DATABASE_CA_FILE does not hold the authority');
    expect(refused.stderr).not.toContain(password);

    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    const without = migrate({ ...env, DATABASE_CA_FILE: authority.ca });
    expect(without.status).toBe(1);
    expect(without.stderr).toContain('without the roles migrator, fleet_api, fleet_engine');
    await makeRoles(client, Object.fromEntries(ROLE_NAMES.map((role) => [role, `irrelevant ${role}`])));
    expect(migrate({ ...env, DATABASE_CA_FILE: authority.ca })).toMatchObject({ status: 0 });
    const { rows } = await client.query("SELECT to_regclass('fleet.dock') IS NOT NULL AS made");
    await client.end();
    expect(rows).toEqual([{ made: true }]);
  });
});
