import { createHash } from 'node:crypto';
import { REDIS_KEYS, type RedisProgram } from '@aerie/bus-contract';

/** What any client says when it connects, and what is looked at when a program starts. */
const CONNECTING = ['+auth', '+hello', '+ping', '+quit', '+client|setname', '+client|setinfo', '+client|id'];
/** Scripts run with the rights of their caller, so they reach no key that it may not touch. */
const SCRIPTS = ['+eval', '+evalsha', '+script|load', '+script|exists'];
const KEYS = ['+del', '+unlink', '+exists', '+type', '+expire', '+pexpire', '+pexpireat', '+ttl', '+pttl', '+persist'];
/** All that BullMQ keeps: hashes of jobs, lists, sets and a stream. */
const QUEUES = [
  ...['+@hash', '+@list', '+@set', '+@sortedset', '+@stream', '+@string', '+@transaction', '+time'],
  // It holds commands that read keys of others by patterns, such as SORT.
  '-@dangerous',
];

const COMMANDS: Readonly<Record<RedisProgram, readonly string[]>> = {
  'fleet-service': ['+@hash'],
  'mission-service': QUEUES,
  'log-service': QUEUES,
};

/**
 * A line of a list of users for valkey or Redis: this program's own keys, and what is done to them. Whatever looks at all
 * keys, at other clients or at the server is left out: FLUSHALL, CONFIG, KEYS, SCAN, DEBUG, SCRIPT FLUSH.
 */
export const redisUser = (program: RedisProgram, password: string): string =>
  [
    ...['user', program, 'reset', 'on', `#${createHash('sha256').update(password).digest('hex')}`],
    ...[`~${REDIS_KEYS[program]}*`, '-@all', ...COMMANDS[program], ...CONNECTING, ...SCRIPTS, ...KEYS, '+info'],
  ].join(' ');
