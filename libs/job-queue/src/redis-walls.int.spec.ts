import { REDIS_KEYS, REDIS_PROGRAMS, WAKE_QUEUES } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { redisUser } from '@aerie/server-settings';
import { type PrivateServer, eventually, startPrivateValkey } from '@aerie/testing';
import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { examineRedis } from './examine-redis.js';
import { BullWakes } from './wake-queue.js';

jest.setTimeout(40_000);
const PASSWORD = 'spec-password';
const STRANGER = 'stranger';

let valkey: PrivateServer;
const clients: Redis[] = [];
const opened: BullWakes[] = [];

const urlOf = (user: string): string => valkey.url.replace('://', `://${user}:${PASSWORD}@`);
function as(user: string): Redis {
  const client = new Redis(urlOf(user), { maxRetriesPerRequest: 1 });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  const users = REDIS_PROGRAMS.map((program) => redisUser(program, PASSWORD));
  valkey = await startPrivateValkey([
    ...users,
    `user ${STRANGER} on >${PASSWORD} ~other:* +@all`,
    // Else it is refused to everybody, and the user's rights would not be asked.
    'enable-debug-command yes',
  ]);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((wakes) => wakes.stop(2_000)));
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => valkey?.remove());

function open(user: string, queueName: string, onWake: (id: string) => Promise<void>, { started = true } = {}) {
  const logger = createLogger('redis-walls-spec', 'silent');
  const failed = jest.spyOn(logger, 'error');
  const wakes = new BullWakes({ redisUrl: urlOf(user), queueName, concurrency: 4, logger, onWake });
  opened.push(wakes);
  if (started) wakes.start();
  return { wakes, failed };
}

describe.each(['mission-service', 'log-service'] as const)('the user of Redis of %s', (program) => {
  it('lets its queue work: wakes come after their delay, and one that failed comes again when it is set again', async () => {
    const woken: string[] = [];
    const { wakes, failed } = open(program, WAKE_QUEUES[program], async (id) => {
      woken.push(id);
      if (id === 'fails') throw new Error('on purpose');
    });
    let tries = 0;
    await eventually('Redis is connected', () => {
      wakes.set([{ id: 'connected', revision: ++tries, delayMs: 0 }]);
      return woken.includes('connected');
    });
    wakes.set([
      { id: 'soon', revision: 1, delayMs: 200 },
      { id: 'fails', revision: 1, delayMs: 0 },
    ]);
    await eventually('both came', () => woken.includes('soon') && woken.includes('fails'));
    wakes.set([{ id: 'fails', revision: 1, delayMs: 0 }]);
    await eventually('it came again', () => woken.filter((id) => id === 'fails').length === 2);
    expect(failed).not.toHaveBeenCalled();
  });
});

it.each(REDIS_PROGRAMS)('a check at start finds nothing for %s', async (program) => {
  expect(
    await examineRedis(urlOf(program), { queues: program !== 'fleet-service', keys: REDIS_KEYS[program] }),
  ).toEqual([]);
});

it('the user of fleet-service keeps states of devices: hashes that end, by a script too', async () => {
  const redis = as('fleet-service');
  const key = `${REDIS_KEYS['fleet-service']}device:SN1`;
  redis.defineCommand('keep', {
    lua: `redis.call('HSET', KEYS[1], 'a', ARGV[1]) redis.call('EXPIRE', KEYS[1], 60) return redis.call('HMGET', KEYS[1], 'a')`,
  });
  const pipeline = redis.pipeline();
  (pipeline as unknown as { keep(keys: number, ...values: string[]): unknown }).keep(1, key, 'v');
  pipeline.hincrby(key, '#n', 1).pexpire(key, 1_000).hgetall(key);
  const answers = (await pipeline.exec()) ?? [];
  expect(answers.map(([error]) => error)).toEqual([null, null, null, null]);
  expect(answers.at(-1)?.[1]).toEqual({ a: 'v', '#n': '1' });
});

const FORBIDDEN: readonly (readonly [string, ...string[]])[] = [
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['SWAPDB', '0', '1'],
  ['CONFIG', 'GET', '*'],
  ['CONFIG', 'SET', 'appendonly', 'no'],
  ['KEYS', '*'],
  ['SCAN', '0'],
  ['RANDOMKEY'],
  ['DBSIZE'],
  ['DEBUG', 'SLEEP', '0'],
  ['SCRIPT', 'FLUSH'],
  ['SCRIPT', 'KILL'],
  ['FUNCTION', 'FLUSH'],
  ['ACL', 'LIST'],
  ['CLIENT', 'LIST'],
  ['CLIENT', 'KILL', 'ID', '1'],
  ['MONITOR'],
  ['SHUTDOWN', 'NOSAVE'],
  ['REPLICAOF', 'NO', 'ONE'],
  ['SUBSCRIBE', 'x'],
  ['PUBLISH', 'x', 'y'],
  ['MODULE', 'LIST'],
];

/** What reads and writes a key, alone and from a script. */
const onKey = (key: string): (readonly [string, ...string[]])[] => [
  ['HGETALL', key],
  ['HSET', key, 'a', 'b'],
  ['DEL', key],
  ['EXPIRE', key, '1'],
  ['EVAL', `return redis.call('HSET', KEYS[1], 'a', 'b')`, '1', key],
  ['EVAL', `return redis.call('HSET', ARGV[1], 'a', 'b')`, '0', key],
];

const answerOf = (client: Redis, [command, ...args]: readonly [string, ...string[]]): Promise<string> =>
  client.call(command, ...args).then(
    (answer) => `answered ${String(answer)}`,
    (error: Error) => error.message,
  );

describe.each(REDIS_PROGRAMS)('the user of Redis of %s is refused', (program) => {
  it.each(FORBIDDEN.map((command) => [command.join(' '), command] as const))('%s', async (_text, command) => {
    expect(await answerOf(as(program), command)).toMatch(/^NOPERM/);
  });

  it.each(REDIS_PROGRAMS.filter((other) => other !== program).map((other) => [other]))(
    'the keys of %s',
    async (other) => {
      const [client, key] = [as(program), `${REDIS_KEYS[other]}1:secret`];
      const owner = as(other);
      await owner.hset(key, 'kept', 'yes');
      for (const command of onKey(key))
        expect(await answerOf(client, command)).toMatch(/NOPERM|ACL failure|can't access/i);
      expect(await owner.hgetall(key)).toEqual({ kept: 'yes' });
      for (const command of onKey(`${REDIS_KEYS[program]}1:own`))
        expect(await answerOf(client, command)).toMatch(/^answered/);
    },
  );
});

describe('a user of Redis that has no right to the keys of its program', () => {
  it('is an error of the start, by the keys that it lacks', async () => {
    expect(await examineRedis(urlOf(STRANGER), { queues: true, keys: REDIS_KEYS['mission-service'] })).toEqual([
      expect.objectContaining({ field: 'permissions', isError: true }),
    ]);
  });

  it('is an error in the log of its queue, not a Redis that is away', async () => {
    const { wakes, failed } = open(STRANGER, WAKE_QUEUES['mission-service'], async () => undefined, { started: false });
    await eventually('it is told', () => {
      wakes.set([{ id: 'one', revision: 1, delayMs: 0 }]);
      return failed.mock.calls.length > 0;
    });
  });
});
