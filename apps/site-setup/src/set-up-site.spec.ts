import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BUS_RIGHTS, BUS_USERS } from '@aerie/bus-contract';
import type { Config } from './config.js';
import { setUpSite } from './set-up-site.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'aerie-site-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const settings = (parts: Partial<Config> = {}): Config => ({
  SITE_HOST: 'drones.example.org',
  SITE_DIRECTORY: path.join(root, 'site'),
  SITE_OWNER: undefined,
  SITE_DATA_FOLDERS: [path.join(root, 'data', 'postgres')],
  SITE_BROKER_FILE: path.join(root, 'data', 'mosquitto', 'dynamic-security.json'),
  SITE_PLAIN_DOCKS: false,
  ...parts,
});
const read = (...names: string[]): string => readFileSync(path.join(root, 'site', ...names), 'utf8');
const certificate = (...names: string[]): X509Certificate => new X509Certificate(read(...names));

/** Every file of the site with its content. */
const everything = (): Map<string, string> =>
  new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name))
      .map((file) => [file, readFileSync(file, 'utf8')]),
  );

describe('the set-up of a site', () => {
  it('gives servers certificates for the names by which they are reached, and programs their own', async () => {
    await setUpSite(settings());
    const authority = certificate('authority', 'ca.crt');
    for (const [folder, file] of [
      ['postgres', 'server.crt'],
      ['mosquitto', 'server.crt'],
      ['fleet-service', 'client.crt'],
    ] as const) {
      expect(certificate(folder, file).verify(authority.publicKey)).toBe(true);
      expect(read(folder, 'ca.crt')).toBe(read('authority', 'ca.crt'));
    }
    expect(certificate('mosquitto', 'server.crt').checkHost('drones.example.org')).toBeDefined();
    expect(certificate('postgres', 'server.crt').checkHost('drones.example.org')).toBeUndefined();
    expect(certificate('postgres', 'server.crt').checkHost('postgres')).toBeDefined();
    expect(certificate('fleet-service', 'client.crt').ca).toBe(false);
  });

  it('gives a container what it connects with and nothing else; servers that can keep a hash keep no password', async () => {
    await setUpSite(settings());
    const passwords = ['mission-service', 'log-service', 'fleet-service'].map((name) => read(name, 'nats-password'));
    expect(new Set(passwords).size).toBe(3);
    expect(read('log-service', 'database-user')).toBe('log_api');
    const ofDatabase = ['log', 'mission'].flatMap((name) =>
      ['database-password', 'database-engine-password'].map((file) => read(`${name}-service`, file)),
    );
    const all = [...ofDatabase, read('migrator', 'database-password'), read('postgres', 'password')];
    expect(new Set(all).size).toBe(6);
    expect(read('database-roles', 'log_engine-password')).toBe(read('log-service', 'database-engine-password'));
    expect(existsSync(path.join(root, 'site', 'migrator', 'database-engine-password'))).toBe(false);
    expect(existsSync(path.join(root, 'site', 'log-service', 's3-secret-access-key'))).toBe(false);
    expect(existsSync(path.join(root, 'site', 'mqtt-ingress', 'database-password'))).toBe(false);
    expect(read('valkey', 'users.acl')).not.toContain(read('mission-service', 'redis-password'));
    const broker = readFileSync(settings().SITE_BROKER_FILE, 'utf8');
    expect(broker).not.toContain(read('fleet-service', 'mqtt-password'));
    for (const file of everything().keys()) expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('makes each file that a manifest of Kubernetes names, in the folder of which its Secret is made', async () => {
    await setUpSite(settings());
    const manifests = path.resolve(import.meta.dirname, '../../../k8s');
    const named = readdirSync(manifests, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yaml'))
      .flatMap((file) => readFileSync(path.join(manifests, file), 'utf8').split('\n---\n'))
      .flatMap((object) => {
        const [, folder] = /secretName: ([\w-]+)-peers/.exec(object) ?? [];
        const files = [...object.matchAll(/value: \/run\/aerie\/([\w.-]+)/g)].map(([, file = '']) => file);
        return folder === undefined ? [] : files.map((file) => path.join(folder, file));
      });
    expect(named).toContain(path.join('mission-service', 'database-engine-password'));
    expect(named).toContain(path.join('database-roles', 'database-password'));
    expect(named.filter((file) => !existsSync(path.join(root, 'site', file)))).toEqual([]);
  });

  it('lets each user of NATS do what the table gives it, and has no user without a limit', async () => {
    await setUpSite(settings());
    const users = read('nats', 'nats.conf').match(/\{ user: .*/g) ?? [];
    expect(users).toHaveLength(BUS_USERS.length);
    for (const [index, name] of BUS_USERS.entries()) {
      const allowed = /publish: \{ allow: (\[[^\]]*\]) \}, subscribe: \{ allow: (\[[^\]]*\]) \}/.exec(
        users[index] ?? '',
      );
      const { publish, subscribe } = BUS_RIGHTS[name];
      expect([allowed?.[1], allowed?.[2]].map((list) => JSON.parse(list ?? 'null') as unknown)).toEqual([
        publish,
        subscribe,
      ]);
      expect(users[index]).toContain(`user: "${name}", password: "${read(name, 'nats-password')}"`);
    }
  });

  it('changes nothing when it runs again', async () => {
    await setUpSite(settings());
    const before = everything();
    expect(await setUpSite(settings())).toEqual([]);
    expect(everything()).toEqual(before);
  });

  it('makes a certificate anew for another host, and leaves passwords and the authority as they are', async () => {
    await setUpSite(settings());
    const [password, authority] = [read('mission-service', 'nats-password'), read('authority', 'ca.crt')];
    const said = await setUpSite(settings({ SITE_HOST: '192.168.1.5' }));
    expect(said).toEqual(['mosquitto: a certificate was made, since it does not name 192.168.1.5']);
    expect(certificate('mosquitto', 'server.crt').checkIP('192.168.1.5')).toBe('192.168.1.5');
    expect([read('mission-service', 'nats-password'), read('authority', 'ca.crt')]).toEqual([password, authority]);
  });

  it.each([
    ['authority', 'ca.crt'],
    ['mission-service', 'client.key'],
    ['nats', 'nats.conf'],
  ])('finishes what an earlier run left without %s/%s', async (folder, file) => {
    await setUpSite(settings());
    rmSync(path.join(root, 'site', folder, file));
    await setUpSite(settings());
    const authority = certificate('authority', 'ca.crt');
    expect(certificate('mission-service', 'client.crt').verify(authority.publicKey)).toBe(true);
    expect(certificate('nats', 'server.crt').verify(authority.publicKey)).toBe(true);
    expect(await setUpSite(settings())).toEqual([]);
  });

  it('keeps the users of docks at the broker, and puts its own right where they are not', async () => {
    await setUpSite(settings());
    const file = settings().SITE_BROKER_FILE;
    const security = JSON.parse(readFileSync(file, 'utf8')) as { clients: object[]; roles: { acls: object[] }[] };
    security.clients.push({ username: 'dock-1', password: 'hash', salt: 'salt', iterations: 101, roles: [] });
    security.roles[0]?.acls.pop();
    writeFileSync(file, JSON.stringify(security));
    expect(await setUpSite(settings())).toHaveLength(1);
    const written = readFileSync(file, 'utf8');
    expect(written).toContain('dock-1');
    expect(await setUpSite(settings())).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(written);
  });
});
