import { pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { accepts } from '@aerie/loopback';
import mqtt from 'mqtt';
import type { Binaries } from './binaries.js';
import { LocalProcess, type Spawned } from './processes.js';

/** Of one look; it is looked again as long as the broker runs. */
const CONNECT_TIMEOUT_MS = 5_000;

/** One of our own MQTT users. Users of docks are made by fleet-service while the broker runs. */
export interface BrokerUser {
  readonly username: string;
  readonly password: string;
  readonly acls: readonly Acl[];
}

interface Acl {
  readonly acltype:
    'publishClientSend' | 'publishClientReceive' | 'subscribePattern' | 'subscribeLiteral' | 'unsubscribePattern';
  readonly topic: string;
  readonly allow: boolean;
  /** The rule with the highest one decides; of equals the first. */
  readonly priority?: number;
}

/** Our own programs and taps connect to one listener, docks to the other. */
export interface BrokerPorts {
  readonly internal: number;
  readonly docks: number;
}

const allow = (acltype: Acl['acltype'], ...topics: string[]): Acl[] =>
  topics.map((topic) => ({ acltype, topic, allow: true }));

const UPLINKS = ['osd', 'state', 'events', 'requests', 'services_reply', 'property/set_reply'].map(
  (channel) => `thing/product/+/${channel}`,
);
const DOWNLINKS = ['services', 'events_reply', 'requests_reply', 'state_reply', 'property/set'].map(
  (channel) => `thing/product/+/${channel}`,
);
const STATUS = 'sys/product/+/status';
const SHARE = '$share/aerie-ingress/';

/** How many messages the broker has thrown away. */
const DROPPED = '$SYS/broker/publish/messages/dropped';

/** Docks may set the retain flag on all of these; the ingress removes the copies that the broker keeps then. */
const SWEPT = [...UPLINKS, STATUS, 'thing/product/+/drc/up'];

/**
 * What the broker keeps for one client that is slow or gone. Beyond it, it acknowledges to the dock and throws away, which
 * the ingress makes an alarm. 64 MiB on each of the eight connections of an ingress are 300 bytes a second of 500 docks for
 * the hour that a session lasts, and half a gigabyte of memory at most.
 */
const QUEUE_LIMITS = [
  'max_queued_messages 100000',
  'max_queued_bytes 67108864',
  // Sent and not acknowledged; an ingress allows 100 a connection. In bytes too, since one message may have 1 MiB.
  'max_inflight_messages 500',
  'max_inflight_bytes 33554432',
];

export const INGRESS_ACLS: readonly Acl[] = [
  ...allow('subscribeLiteral', ...[...UPLINKS, STATUS].map((filter) => SHARE + filter), ...SWEPT, DROPPED),
  ...allow('unsubscribePattern', '#', '$share/#'),
  ...allow('publishClientReceive', ...SWEPT, DROPPED),
  ...allow('publishClientSend', ...DOWNLINKS, 'sys/product/+/status_reply', ...SWEPT),
];

/**
 * A subscribe pattern `#` covers shared subscriptions too: whoever has it could join the group of the ingress and take
 * its uplinks. Only a higher priority outweighs it; an equal one has no effect.
 */
const NO_SHARES: Acl = { acltype: 'subscribePattern', topic: '$share/#', allow: false, priority: 10 };

/** fleet-service makes the users of docks; it reads and writes nothing of theirs. */
export const FLEET_ACLS: readonly Acl[] = [
  NO_SHARES,
  ...allow('publishClientSend', '$CONTROL/dynamic-security/v1'),
  ...allow('subscribePattern', '$CONTROL/dynamic-security/v1/response'),
  ...allow('unsubscribePattern', '#', '$CONTROL/#'),
  ...allow('publishClientReceive', '$CONTROL/dynamic-security/v1/response'),
];

/** May read everything and write nothing: for taps and tests. */
export const OBSERVER_ACLS: readonly Acl[] = [
  NO_SHARES,
  ...allow('subscribePattern', '#'),
  ...allow('unsubscribePattern', '#'),
  ...allow('publishClientReceive', '#'),
];

interface DynamicSecurity {
  defaultACLAccess: Record<string, boolean>;
  clients: { username: string; password?: string; salt?: string; iterations?: number; roles: { rolename: string }[] }[];
  groups: unknown[];
  roles: { rolename: string; acls: Acl[] }[];
}

/**
 * A private mosquitto with its dynamic security plugin: everything is refused unless a role allows it, also SUBSCRIBE
 * and shared subscriptions (an `acl_file` filters reads only at delivery, and a dock could join the ingress's group).
 */
export function spawnMosquitto(
  directory: string,
  binaries: Binaries,
  ports: BrokerPorts,
  users: readonly BrokerUser[],
): Spawned {
  const securityFile = securityFileOf(directory);
  // By its name only when all of it is there: a start may be killed in the middle.
  const unfinished = `${securityFile}.start`;
  writeFileSync(unfinished, JSON.stringify(withUsers(readSecurity(securityFile), users), null, 1), { mode: 0o600 });
  renameSync(unfinished, securityFile);
  const access = [
    `plugin ${binaries.dynamicSecurityPlugin}`,
    `plugin_opt_config_file ${securityFile}`,
    'allow_anonymous false',
  ];
  return spawn(directory, binaries, ports, access, users[0]);
}

/** A broker without any user, for tests of single adapters. */
export function spawnOpenMosquitto(directory: string, binaries: Binaries, ports: BrokerPorts): Spawned {
  return spawn(directory, binaries, ports, ['allow_anonymous true']);
}

/** Where the plugin keeps its users. It writes the file while it runs. */
export const securityFileOf = (directory: string): string => path.join(dataFolder(directory), 'dynamic-security.json');

function dataFolder(directory: string): string {
  const data = path.join(directory, 'mosquitto');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return data;
}

function spawn(
  directory: string,
  binaries: Binaries,
  ports: BrokerPorts,
  access: readonly string[],
  user?: BrokerUser,
): Spawned {
  const data = dataFolder(directory);
  const config = path.join(data, 'mosquitto.conf');
  writeFileSync(
    config,
    [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      ...access,
      // Off by default; without it a QoS 1 message waits 20 ms and more for nothing.
      'set_tcp_nodelay true',
      'persistence true',
      `persistence_location ${data}/`,
      // Each second, not at each change: writing the whole store for every message costs nine tenths of the throughput
      // (see `npm run bench:uplink`). A broker that is killed forgets its last second; docks repeat what was not answered.
      'autosave_interval 1',
      ...QUEUE_LIMITS,
      // Above what the ingress takes (256 KiB): a larger message then arrives there and is kept as a dead letter with its
      // reason. The broker acknowledges what is above its own limit, and throws it away.
      'message_size_limit 1048576',
      'log_dest stderr',
      'log_type error',
      'log_type warning',
      'log_type notice',
      // Options of a listener follow it, so these come last.
      `listener ${ports.internal} 127.0.0.1`,
      `listener ${ports.docks} 127.0.0.1`,
      // A dock that could choose its client id could take over the session of another dock, or of the ingress.
      'use_username_as_clientid true',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const process_ = LocalProcess.start(directory, 'mosquitto', {
    program: binaries.mosquitto,
    args: ['-c', config],
    env: binaries.env,
  });
  return { process: process_, check: () => answers(ports, user) };
}

/** Takes the password of a user of ours, which is new at each start, and listens for docks too. */
async function answers({ internal, docks }: BrokerPorts, user: BrokerUser | undefined): Promise<true | string> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${internal}`, {
    protocolVersion: 5,
    clientId: `aerie-start-${randomUUID()}`,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(user === undefined ? {} : { username: user.username, password: user.password }),
  });
  await client.endAsync(true);
  return (await accepts(docks)) || `nobody listens on port ${docks}`;
}

function readSecurity(file: string): DynamicSecurity | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DynamicSecurity) : undefined;
}

/** Puts our own users in with their new passwords and keeps everybody else, that is the docks. */
function withUsers(existing: DynamicSecurity | undefined, users: readonly BrokerUser[]): DynamicSecurity {
  const ours = new Set(users.map(({ username }) => username));
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: false, subscribe: false, unsubscribe: false },
    groups: existing?.groups ?? [],
    clients: [
      ...(existing?.clients ?? []).filter(({ username }) => !ours.has(username)),
      ...users.map(({ username, password }) => ({ username, ...hashed(password), roles: [{ rolename: username }] })),
    ],
    roles: [
      ...(existing?.roles ?? []).filter(({ rolename }) => !ours.has(rolename)),
      ...users.map(({ username, acls }) => ({ rolename: username, acls: [...acls] })),
    ],
  };
}

/** As the plugin hashes: PBKDF2-SHA512 with 64 bytes. */
function hashed(password: string) {
  const salt = randomBytes(12);
  const iterations = 101;
  return {
    salt: salt.toString('base64'),
    password: pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64'),
    iterations,
  };
}
