import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Acl, dockAcls } from '../dock/dock-acls.js';
import { roleOf } from './dynamic-security.js';

/** What the dynamic security plugin keeps. Members that are not named here are carried along. */
export interface SecurityFile {
  readonly clients: readonly { readonly username: string }[];
  readonly roles: readonly { readonly rolename: string; readonly acls: readonly Acl[] }[];
}

export interface BrokerDock {
  readonly sn: string;
  readonly aircraftSns: readonly string[];
  readonly mqttPassword: string;
}

/**
 * The file with users for these docks; earlier ones of the same name are replaced. Over its control topic the plugin
 * writes the whole file at each change: ten thousand times for five thousand docks, here once.
 */
export function withDocks<File extends SecurityFile>(file: File, docks: readonly BrokerDock[]): File {
  const usernames = new Set(docks.map(({ sn }) => sn));
  const rolenames = new Set(docks.map(({ sn }) => roleOf(sn)));
  return {
    ...file,
    clients: [
      ...file.clients.filter(({ username }) => !usernames.has(username)),
      ...docks.map(({ sn, mqttPassword }) => ({
        username: sn,
        ...hashed(mqttPassword),
        roles: [{ rolename: roleOf(sn) }],
      })),
    ],
    roles: [
      ...file.roles.filter(({ rolename }) => !rolenames.has(rolename)),
      ...docks.map(({ sn, aircraftSns }) => ({ rolename: roleOf(sn), acls: dockAcls(sn, aircraftSns) })),
    ],
  };
}

/** As the plugin hashes by itself. Passwords are 32 random bytes, so more rounds would protect nothing. */
function hashed(password: string) {
  const salt = randomBytes(12);
  const iterations = 101;
  return {
    salt: salt.toString('base64'),
    password: pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64'),
    iterations,
  };
}
