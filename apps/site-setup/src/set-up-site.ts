import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BUS_USERS, REDIS_PROGRAMS } from '@aerie/bus-contract';
import {
  type BrokerUser,
  type DynamicSecurity,
  FLEET_ACLS,
  INGRESS_ACLS,
  type KeyPair,
  type Subject,
  hasUsers,
  issue,
  makeAuthority,
  whyRenew,
  withUsers,
} from '@aerie/server-settings';
import type { Config } from './config.js';
import { type Peer, PROGRAM_NAMES, type ProgramName, SERVERS, whoSpeaksTo } from './containers.js';
import { keepDatabaseLogins } from './database-logins.js';
import { Folder } from './folder.js';
import { type Login, PG_HBA_CONF, VALKEY_CONF, mosquittoConf, natsConf, valkeyUsers } from './server-files.js';

/** Where the broker's image keeps its plugin. */
const BROKER_PLUGIN = '/usr/lib/mosquitto_dynamic_security.so';
const BROKER_SECURITY = '/mosquitto/data/dynamic-security.json';
const PASSWORD_BYTES = 32;

/** Letters and digits: it stands in files of four kinds. */
const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString('base64url').replaceAll(/[-_]/g, 'x');

/**
 * Makes what the containers of a site need before their first start, a folder for each: certificates of an authority of its
 * own, passwords, settings of servers. What is there already is kept, so it may run at every start: passwords stay; a
 * certificate that ends soon, or names another host, is made anew; settings are written again.
 * @returns what was made or changed, in words
 */
export async function setUpSite(config: Config): Promise<string[]> {
  const { SITE_DIRECTORY: root, SITE_HOST: host, SITE_OWNER: owner } = config;
  const said: string[] = [];
  const folder = (name: string): Folder => new Folder(path.join(root, name), owner);
  const programs = Object.fromEntries(PROGRAM_NAMES.map((name) => [name, folder(name)])) as Record<ProgramName, Folder>;

  // Only who signs reads the key of the authority: it lies in a folder that no other container sees.
  const authority = await keepAuthority(new Folder(path.join(root, 'authority')), host, said);
  for (const name of PROGRAM_NAMES) {
    await keepCertificate(programs[name], authority, { name }, 'client', said);
  }
  for (const name of SERVERS) {
    const hosts = name === 'mosquitto' ? [name, 'localhost', host] : [name, 'localhost'];
    await keepCertificate(folder(name), authority, { name, hosts }, 'server', said);
  }

  const password = <Name extends ProgramName>(name: Name, peer: Peer): Login & { readonly user: Name } => {
    programs[name].write(`${peer}-user`, name);
    return { user: name, password: programs[name].keep(`${peer}-password`, newPassword) };
  };
  const natsLogins = BUS_USERS.map((name) => password(name, 'nats'));
  const write = (name: string, file: string, content: string): void => {
    if (folder(name).write(file, content)) said.push(`${name}: ${file} was written`);
  };
  keepDatabaseLogins(programs, folder('postgres'), newPassword);
  write('postgres', 'pg_hba.conf', PG_HBA_CONF);
  write('nats', 'nats.conf', natsConf(natsLogins));
  write('valkey', 'valkey.conf', VALKEY_CONF);
  write('valkey', 'users.acl', valkeyUsers(REDIS_PROGRAMS.map((name) => password(name, 'redis'))));
  write('mosquitto', 'mosquitto.conf', mosquittoConf(BROKER_PLUGIN, BROKER_SECURITY, config.SITE_PLAIN_DOCKS));

  const keyId = programs['object-store'].keep('s3-access-key-id', () => `aerie-${randomBytes(8).toString('hex')}`);
  const secret = programs['object-store'].keep('s3-secret-access-key', newPassword);
  for (const name of whoSpeaksTo('s3')) {
    programs[name].write('s3-access-key-id', keyId);
    programs[name].write('s3-secret-access-key', secret);
  }
  programs['credential-service'].keep('sealing-keys', () => `site ${randomBytes(32).toString('base64')}\n`);

  folder('grafana').keep('password', newPassword);

  for (const data of config.SITE_DATA_FOLDERS) {
    mkdirSync(data, { recursive: true });
    chmodSync(data, 0o700);
    if (owner !== undefined) chownSync(data, owner.uid, owner.gid);
  }
  keepBrokerUsers(config, password, said);
  return said;
}

async function keepAuthority(folder: Folder, host: string, said: string[]): Promise<KeyPair> {
  const [certificate, key] = [folder.read('ca.crt'), folder.read('ca.key')];
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  const made = await makeAuthority(`Aerie site ${host}`);
  // The certificate last: with it there, both are.
  folder.write('ca.key', made.key);
  folder.write('ca.crt', made.certificate);
  said.push('a certificate authority was made');
  return made;
}

async function keepCertificate(
  folder: Folder,
  authority: KeyPair,
  subject: Subject,
  kind: 'client' | 'server',
  said: string[],
): Promise<void> {
  folder.write('ca.crt', authority.certificate);
  const [kept, key] = [folder.read(`${kind}.crt`), folder.read(`${kind}.key`)];
  const why =
    kept === undefined || key === undefined ? 'there was none' : whyRenew(kept, authority.certificate, subject);
  if (why === undefined) {
    folder.write(`${kind}.crt`, kept ?? '');
    folder.write(`${kind}.key`, key ?? '');
    return;
  }
  const made = await issue(authority, subject);
  folder.write(`${kind}.key`, made.key);
  folder.write(`${kind}.crt`, made.certificate);
  said.push(`${subject.name}: a certificate was made, since ${why}`);
}

/** The broker writes its file while it runs, so it is touched only when a user of ours is not there as he should be. */
function keepBrokerUsers(config: Config, login: (name: ProgramName, peer: Peer) => Login, said: string[]): void {
  const file = config.SITE_BROKER_FILE;
  const users: BrokerUser[] = (['mqtt-ingress', 'fleet-service'] as const).map((name) => ({
    username: name,
    password: login(name, 'mqtt').password,
    acls: name === 'fleet-service' ? FLEET_ACLS : INGRESS_ACLS,
  }));
  const existing = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DynamicSecurity) : undefined;
  if (hasUsers(existing, users)) return;
  const folder = new Folder(path.dirname(file), config.SITE_OWNER);
  folder.write(path.basename(file), JSON.stringify(withUsers(existing, users), null, 1));
  said.push('mosquitto: its users were written; a broker that runs has to be started again');
}
