import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PrivateServer, startPrivatePostgres } from '@aerie/testing';
import { Client } from 'pg';
import { setUpSite } from './set-up-site.js';

let root: string;
let postgres: PrivateServer;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'aerie-site-'));
  postgres = await startPrivatePostgres();
  await setUpSite({
    ...{ SITE_HOST: 'drones.example.org', SITE_DIRECTORY: root, SITE_OWNER: undefined, SITE_DATA_FOLDERS: [] },
    ...{ SITE_BROKER_FILE: path.join(root, 'broker', 'dynamic-security.json'), SITE_PLAIN_DOCKS: false },
  });
}, 60_000);
afterAll(async () => {
  await postgres?.remove();
  rmSync(root, { recursive: true });
});

const read = (folder: string, file: string): string => readFileSync(path.join(root, folder, file), 'utf8');

const makeRoles = () =>
  spawnSync(process.execPath, [fileURLToPath(new URL('./make-database-roles.js', import.meta.url))], {
    ...{ encoding: 'utf8', timeout: 60_000 },
    env: { ...process.env, DATABASE_URL: postgres.url, DATABASE_ROLES_DIRECTORY: path.join(root, 'database-roles') },
  });

async function userOf(user: string, password: string): Promise<string | undefined> {
  const url = new URL(postgres.url);
  [url.username, url.password] = [user, password];
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query<{ name: string }>('SELECT current_user AS name')).rows[0]?.name;
  } finally {
    await client.end();
  }
}

it('makes the roles with which the programs of a site connect, from the files that it was given, and tells no password', async () => {
  const { status, stdout, stderr } = makeRoles();
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('made log_engine');
  expect(stdout).not.toContain(read('log-service', 'database-engine-password'));
  await expect(userOf('log_engine', read('log-service', 'database-engine-password'))).resolves.toBe('log_engine');
  for (const folder of ['log-service', 'mission-service', 'fleet-service', 'credential-service', 'migrator']) {
    const user = read(folder, 'database-user');
    await expect(userOf(user, read(folder, 'database-password'))).resolves.toBe(user);
  }
  expect(makeRoles().stdout).toBe('The database has its 9 roles, with the passwords that are there.\n');
});

it('names the file that is missing, and makes nothing', () => {
  rmSync(path.join(root, 'database-roles', 'fleet_api-password'));
  const { status, stdout, stderr } = makeRoles();
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('fleet_api-password');
});
