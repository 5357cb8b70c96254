import type { Finding, Peer } from '@aerie/kernel';
import type { Redis } from 'ioredis';
import { isForbidden, redisClient, redisError } from './redis-client.js';

/** What BullMQ needs, and what it recommends. */
const LEAST_VERSION = [5, 0] as const;
const RECOMMENDED_VERSION = [6, 2] as const;
const WHAT = 'Redis';
const TIMEOUT_MS = 5_000;

export interface RedisNeeds {
  /** Queues of jobs lie there: what the server evicts is a wake that never comes. */
  readonly queues: boolean;
  /** What keys of the program begin with: its user may be let at no others. */
  readonly keys: string;
}

/** Examines the settings of the server, by INFO: many that are run by others refuse CONFIG. Rejects while it is away. */
export async function examineRedis(address: Peer | string, needs: RedisNeeds): Promise<Finding[]> {
  const client = redisClient(address, {
    ...{ lazyConnect: true, connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS, maxRetriesPerRequest: 0 },
    retryStrategy: () => null,
  });
  let failure: unknown;
  // What broke the connection is told here; the call below only says that it is closed.
  client.on('error', (error) => (failure = error));
  try {
    await client.connect();
    return [...redisFindings(await client.info(), needs), ...(await findRights(client, needs))];
  } catch (error) {
    throw redisError(failure ?? error, address);
  } finally {
    client.disconnect();
  }
}

/** A script that names a key of ours, and does nothing to it. */
async function findRights(client: Redis, { keys }: RedisNeeds): Promise<Finding[]> {
  try {
    await client.eval('return 1', 1, `${keys}1`);
    return [];
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const message = `do not let our user run scripts on keys ${keys}*: see docs/operate/peers.md`;
    return [{ what: WHAT, field: 'permissions', message, isError: true }];
  }
}

/** @param info as the server says it: lines of `name:value` */
export function redisFindings(info: string, { queues }: Pick<RedisNeeds, 'queues'>): Finding[] {
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const findings: Finding[] = [];
  const find = (field: string, message: string, isError: boolean): void =>
    void findings.push({ what: WHAT, field, message, isError });

  const version = valueOf('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isBelow = ([least, orLess]: readonly [number, number]): boolean =>
    major < least || (major === least && minor < orLess);
  if (isBelow(LEAST_VERSION))
    find('version', `is ${version}, and ${LEAST_VERSION.join('.')} is the least: upgrade it`, true);
  else if (isBelow(RECOMMENDED_VERSION)) {
    find('version', `is ${version}, and ${RECOMMENDED_VERSION.join('.')} is recommended: upgrade it`, false);
  }
  const policy = valueOf('maxmemory_policy');
  if (policy === undefined) find('maxmemory-policy', 'is not told by the server; it has to be noeviction', false);
  else if (policy !== 'noeviction') {
    find('maxmemory-policy', `is ${policy}: the server would drop what it was given; set it to noeviction`, queues);
  }
  if (valueOf('aof_enabled') === '0') {
    find('appendonly', 'is no: after a restart of the server wakes come late, by a sweep; set it to yes', false);
  }
  return findings;
}
