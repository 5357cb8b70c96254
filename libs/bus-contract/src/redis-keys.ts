/** The programs that keep something in Redis, each with a user of its own name. */
export const REDIS_PROGRAMS = ['fleet-service', 'mission-service', 'log-service'] as const;
export type RedisProgram = (typeof REDIS_PROGRAMS)[number];

/** Braces make all keys of the queues fall into one slot of a Redis cluster. */
export const QUEUE_PREFIX = '{aerie}';
/** Queues of jobs. A name holds a version, because two versions of BullMQ must not share one queue. */
export const WAKE_QUEUES = { 'mission-service': 'mission-wakes-v2', 'log-service': 'log-wakes-v1' } as const;

/** States of devices and notes on them. */
export const FLEET_KEYS = '{fleet}:';

/** What keys of a program begin with; all others belong to somebody else. Queues of other versions are its own too. */
export const REDIS_KEYS: Readonly<Record<RedisProgram, string>> = {
  'fleet-service': FLEET_KEYS,
  'mission-service': `${QUEUE_PREFIX}:mission-wakes-v`,
  'log-service': `${QUEUE_PREFIX}:log-wakes-v`,
};
