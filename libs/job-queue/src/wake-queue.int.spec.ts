import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { createLogger } from '@aerie/observability';
import { eventually, freePort, testEnvironment } from '@aerie/testing';
import { Redis } from 'ioredis';
import { BullWakes } from './wake-queue.js';

jest.setTimeout(30_000);

interface Woken {
  readonly id: string;
  readonly revision: number;
  readonly atMs: number;
}

const opened: BullWakes[] = [];
let queues = 0;

function open(redisUrl = testEnvironment().redisUrl, onWake?: (id: string) => Promise<void>, { started = true } = {}) {
  const woken: Woken[] = [];
  const queueName = `wakes-${process.pid}-${++queues}-${randomUUID()}`;
  const wakes = new BullWakes({
    redisUrl,
    queueName,
    concurrency: 4,
    logger: createLogger('test', 'silent'),
    onWake: async (id, revision) => {
      woken.push({ id, revision, atMs: Date.now() });
      await onWake?.(id);
    },
  });
  opened.push(wakes);
  if (started) wakes.start();
  const idsOf = (): string[] => woken.map(({ id }) => id);
  /** Sets a wake until one comes through: a connection that was just opened takes nothing yet. */
  const connected = async (): Promise<void> => {
    let tries = 0;
    await eventually('Redis is connected', () => {
      wakes.set([{ id: 'connected', revision: ++tries, delayMs: 0 }]);
      return idsOf().includes('connected');
    });
  };
  return { wakes, woken, idsOf, connected, queueName };
}

/** Its worker is not started: BullMQ's would wait for its Redis for ever and keep this process alive. */
async function openWithoutRedis() {
  return open(`redis://127.0.0.1:${await freePort()}`, undefined, { started: false });
}

async function withRedis<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(testEnvironment().redisUrl);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** What FLUSHALL would do to this queue, without the queues of others. */
const wipe = (queueName: string) =>
  withRedis(async (redis) => {
    const keys = await redis.keys(`{aerie}:${queueName}:*`);
    if (keys.length > 0) await redis.del(...keys);
    return keys.length;
  });

afterEach(() => Promise.all(opened.splice(0).map((wakes) => wakes.stop(2_000))));

describe('a wake', () => {
  it('comes after its delay, with the revision that it was set for', async () => {
    const { wakes, woken, connected } = open();
    await connected();
    const setMs = Date.now();
    wakes.set([{ id: 'mission', revision: 7, delayMs: 300 }]);
    const wake = await eventually('it came', () => woken.find(({ id }) => id === 'mission'));
    expect(wake.revision).toBe(7);
    expect(wake.atMs - setMs).toBeGreaterThanOrEqual(295);
  });

  it('in the past comes at once', async () => {
    const { wakes, idsOf, connected } = open();
    await connected();
    wakes.set([{ id: 'late', revision: 1, delayMs: -60_000 }]);
    await eventually('it came', () => idsOf().includes('late'));
  });

  it('is set again by a new revision, although the id was used before', async () => {
    const { wakes, woken, connected } = open();
    await connected();
    wakes.set([{ id: 'mission', revision: 1, delayMs: 0 }]);
    await eventually('the first came', () => woken.some(({ id }) => id === 'mission'));
    wakes.set([{ id: 'mission', revision: 2, delayMs: 0 }]);
    await eventually('the second came', () => woken.some(({ id, revision }) => id === 'mission' && revision === 2));
  });

  it('that is hours away takes no room in Redis', async () => {
    const { wakes, connected, queueName } = open();
    await connected();
    wakes.set([
      { id: 'far', revision: 1, delayMs: 3_600_000 },
      { id: 'near', revision: 1, delayMs: 600_000 },
    ]);
    const delayed = await withRedis((redis) =>
      eventually('the near one is there', async () => {
        const ids = await redis.zrange(`{aerie}:${queueName}:delayed`, '0', '-1');
        return ids.length > 0 && ids;
      }),
    );
    expect(delayed).toEqual(['near_1']);
  });

  it('whose work fails leaves nothing behind and holds up no other', async () => {
    const { wakes, idsOf, connected } = open(undefined, async (id) => {
      if (id === 'bad') throw new Error('the database is away');
    });
    await connected();
    wakes.set([
      { id: 'bad', revision: 1, delayMs: 0 },
      { id: 'good', revision: 1, delayMs: 0 },
    ]);
    await eventually('both came', () => idsOf().includes('good') && idsOf().includes('bad'));
  });
});

describe('a Redis that is wiped', () => {
  it('loses the wakes that were set, and takes later ones', async () => {
    const { wakes, idsOf, connected, queueName } = open();
    await connected();
    wakes.set([{ id: 'lost', revision: 1, delayMs: 1_000 }]);
    await withRedis((redis) =>
      eventually('the wake is in Redis', () =>
        redis.exists(`{aerie}:${queueName}:lost_1`).then((count) => count === 1),
      ),
    );
    expect(await wipe(queueName)).toBeGreaterThan(0);
    wakes.set([{ id: 'later', revision: 1, delayMs: 1_500 }]);
    await eventually('the later one came', () => idsOf().includes('later'), 15_000);
    expect(idsOf()).not.toContain('lost');
  });
});

describe('a Redis that is away', () => {
  it('costs the caller neither time nor an error', async () => {
    const { wakes } = await openWithoutRedis();
    const startedMs = performance.now();
    for (let revision = 0; revision < 200; revision++) wakes.set([{ id: 'a', revision, delayMs: 0 }]);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it('does not keep a service from stopping', async () => {
    const { wakes } = await openWithoutRedis();
    wakes.set([{ id: 'a', revision: 1, delayMs: 0 }]);
    const startedMs = Date.now();
    await wakes.stop(500);
    expect(Date.now() - startedMs).toBeLessThan(3_000);
  });
});

describe('a stop', () => {
  it('waits for the wake in work', async () => {
    let release = (): void => undefined;
    let done = false;
    const released = new Promise<void>((resolve) => (release = resolve));
    const { wakes, idsOf, connected } = open(undefined, async (id) => {
      if (id !== 'slow') return;
      await released;
      done = true;
    });
    await connected();
    wakes.set([{ id: 'slow', revision: 1, delayMs: 0 }]);
    await eventually('it is in work', () => idsOf().includes('slow'));
    const stopped = wakes.stop(10_000);
    release();
    await stopped;
    expect(done).toBe(true);
  });
});
