import { pbkdf2Sync, randomBytes } from 'node:crypto';

/** One of our own MQTT users. Users of docks are made by fleet-service while the broker runs. */
export interface BrokerUser {
  readonly username: string;
  readonly password: string;
  readonly acls: readonly Acl[];
}

export interface Acl {
  readonly acltype:
    'publishClientSend' | 'publishClientReceive' | 'subscribePattern' | 'subscribeLiteral' | 'unsubscribePattern';
  readonly topic: string;
  readonly allow: boolean;
  /** The rule with the highest one decides; of equals the first. */
  readonly priority?: number;
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

/** What the plugin reads when it starts, and writes while it runs. */
export interface DynamicSecurity {
  defaultACLAccess: Record<string, boolean>;
  clients: { username: string; password?: string; salt?: string; iterations?: number; roles: { rolename: string }[] }[];
  groups: unknown[];
  roles: { rolename: string; acls: Acl[] }[];
}

/** Puts our own users in with their new passwords and keeps everybody else, that is the docks. */
export function withUsers(existing: DynamicSecurity | undefined, users: readonly BrokerUser[]): DynamicSecurity {
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

/** Whether all these users are there with their passwords and exactly their rules, in whatever order. */
export function hasUsers(existing: DynamicSecurity | undefined, users: readonly BrokerUser[]): boolean {
  return users.every(({ username, password, acls }) => {
    const client = existing?.clients.find((one) => one.username === username);
    const role = existing?.roles.find(({ rolename }) => rolename === username);
    const { salt, iterations } = client ?? {};
    if (role === undefined || salt === undefined || iterations === undefined) return false;
    const isSame = client?.password === hashWith(password, Buffer.from(salt, 'base64'), iterations);
    return isSame && JSON.stringify(ruleKeys(role.acls)) === JSON.stringify(ruleKeys(acls));
  });
}

const ruleKeys = (acls: readonly Acl[]): string[] =>
  acls.map(({ acltype, topic, allow, priority }) => `${acltype} ${topic} ${allow} ${priority ?? 0}`).sort();

/** As the plugin hashes: PBKDF2-SHA512 with 64 bytes. */
const hashWith = (password: string, salt: Buffer, iterations: number): string =>
  pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64');

function hashed(password: string) {
  const salt = randomBytes(12);
  const iterations = 101;
  return { salt: salt.toString('base64'), password: hashWith(password, salt, iterations), iterations };
}
