import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { eventually, testEnvironment } from '@aerie/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { DockStates } from './dock-states.js';

const nothingStored = { query: async () => [] } as unknown as DataSource;
const logger = createLogger('state-writer-spec', 'silent');
const SECOND_MS = 1_000;

let redis: Redis;
let states: DockStates;
/** Another replica, on the same Redis. */
let other: DockStates;
let sn: string;
let nowMs: number;
const cleanUps: (() => unknown)[] = [];
beforeEach(() => {
  redis = new Redis(testEnvironment().redisUrl);
  states = new DockStates(redis, nothingStored, logger);
  other = new DockStates(redis, nothingStored, logger);
  states.start();
  other.start();
  sn = aSn();
  nowMs = Date.now();
});
afterEach(async () => {
  await Promise.all([states.stop(), other.stop(), ...cleanUps.splice(0).map((cleanUp) => cleanUp())]);
  redis.disconnect();
});

const aSn = (): string => `SW-${randomUUID().slice(0, 8)}`;
const keyOf = (device: string): string => `{fleet}:device:${device}`;
const writtenOf = async (property: string, device = sn): Promise<unknown> => {
  const text = await redis.hget(keyOf(device), property);
  return text === null ? undefined : (JSON.parse(text) as [number, unknown])[1];
};
let markers = 0;
/** Has a replica write all that it knows by now. */
async function written(by: DockStates, atMs = Date.now()): Promise<void> {
  const marker = ++markers;
  by.merge(sn, { marker }, atMs);
  await eventually('it is written', async () => (await writtenOf('marker')) === marker);
}
/** What nobody wrote, so that a write is seen. */
const spoil = (property: string, atMs = 1): Promise<number> => redis.hset(keyOf(sn), property, `[${atMs},"spoilt"]`);

it('writes what changed, and what did not change after ten seconds', async () => {
  states.merge(sn, { humidity: 40, height: 7 }, nowMs - 20 * SECOND_MS);
  await written(states, nowMs - 20 * SECOND_MS);
  await written(states, nowMs - 19 * SECOND_MS);
  await spoil('humidity');
  states.merge(sn, { humidity: 40, height: 8 }, nowMs - 15 * SECOND_MS);
  await written(states, nowMs - 15 * SECOND_MS);
  expect([await writtenOf('humidity'), await writtenOf('height')]).toEqual(['spoilt', 8]);
  states.merge(sn, { humidity: 40 }, nowMs - 5 * SECOND_MS);
  await written(states);
  expect(await writtenOf('humidity')).toBe(40);
});

it('writes a dock once a second however often it speaks', async () => {
  states.merge(sn, { humidity: 0 }, nowMs);
  await written(states);
  const watch = await redis.monitor();
  cleanUps.push(() => watch.disconnect());
  let writes = 0;
  watch.on('monitor', (_time: string, [command, key]: string[]) => {
    if (command?.toLowerCase() === 'hset' && key === keyOf(sn)) writes++;
  });
  const startedMs = Date.now();
  for (let humidity = 1; Date.now() - startedMs < 2.5 * SECOND_MS; humidity++) {
    states.merge(sn, { humidity }, Date.now());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(writes).toBeGreaterThan(0);
  expect(writes).toBeLessThanOrEqual(4);
});

it('writes a pressed stop before all that can wait', async () => {
  const calm = aSn();
  states.merge(sn, { emergency_stop_state: 0 }, nowMs);
  states.merge(calm, { humidity: 40 }, nowMs);
  await written(states);
  states.merge(calm, { humidity: 41 }, Date.now());
  states.merge(sn, { emergency_stop_state: 1 }, Date.now());
  await eventually('the stop is written', async () => (await writtenOf('emergency_stop_state')) === 1);
  expect(await writtenOf('humidity', calm)).toBe(40);
});

it('writes what decides about a start each time, since another replica may have heard something else meanwhile', async () => {
  states.merge(sn, { emergency_stop_state: 1 }, Date.now());
  await written(states);
  other.merge(sn, { emergency_stop_state: 0 }, Date.now());
  await written(other);
  states.merge(sn, { emergency_stop_state: 1 }, Date.now());
  await written(states);
  expect(await writtenOf('emergency_stop_state')).toBe(1);
});

it('writes what is sent only on change each time: it does not come again', async () => {
  states.mergeChange(sn, { firmware_version: '1' }, Date.now());
  await written(states);
  other.mergeChange(sn, { firmware_version: '2' }, Date.now());
  await written(other);
  states.mergeChange(sn, { firmware_version: '1' }, Date.now());
  await written(states);
  expect(await writtenOf('firmware_version')).toBe('1');
});

it('writes nothing over what another replica received later', async () => {
  other.merge(sn, { humidity: 41, mode_code: 4 }, nowMs);
  await written(other, nowMs);
  states.merge(sn, { humidity: 40, mode_code: 0, height: 7 }, nowMs - SECOND_MS);
  await eventually('the earlier one is written', async () => (await writtenOf('height')) === 7);
  expect([await writtenOf('humidity'), await writtenOf('mode_code')]).toEqual([41, 4]);
  expect(await redis.hget(keyOf(sn), '_seen')).toBe(String(nowMs));
});

it('takes nothing that comes late for the newest, within one replica either', async () => {
  states.mergeChange(sn, { firmware_version: '2' }, nowMs);
  states.mergeChange(sn, { firmware_version: '1' }, nowMs - SECOND_MS);
  await written(states);
  expect(await writtenOf('firmware_version')).toBe('2');
});

it('lets a time from the future, which a wrong clock has written, hold back nothing', async () => {
  await written(states);
  await spoil('mode_code', nowMs + 60 * SECOND_MS);
  await redis.hset(keyOf(sn), '_seen', nowMs + 60 * SECOND_MS);
  states.merge(sn, { mode_code: 0 }, Date.now());
  await written(states);
  expect(await writtenOf('mode_code')).toBe(0);
  expect(Number(await redis.hget(keyOf(sn), '_seen'))).toBeLessThanOrEqual(Date.now());
});

it('writes all of a device again once Redis was wiped', async () => {
  const all = { humidity: 40, height: 7, mode_code: 0 };
  states.merge(sn, all, Date.now());
  await written(states);
  await redis.del(keyOf(sn));
  await eventually(
    'it is full again, long before all of it is renewed',
    async () => {
      states.merge(sn, all, Date.now());
      return (await writtenOf('humidity')) === 40 && (await writtenOf('height')) === 7;
    },
    5 * SECOND_MS,
  );
});

it('writes later what Redis did not take, and nothing older over what came meanwhile', async () => {
  const away = new Redis(testEnvironment().redisUrl, { enableOfflineQueue: false, retryStrategy: () => null });
  await eventually('it is connected', () => away.status === 'ready');
  away.disconnect();
  await eventually('it is away', () => away.status === 'end');
  let failures = 0;
  const counting = Object.assign(createLogger('state-writer-spec', 'silent'), { warn: () => void failures++ });
  const without = new DockStates(away, nothingStored, counting);
  without.start();
  cleanUps.push(() => without.stop().then(() => away.disconnect()));
  without.mergeChange(sn, { firmware_version: '1', height: 7 }, nowMs);
  await eventually('a write has failed', () => failures > 0);
  without.merge(sn, { height: 8 }, Date.now());
  await away.connect();
  await eventually('it is written', async () => (await writtenOf('firmware_version')) === '1', 4_000);
  expect(await writtenOf('height')).toBe(8);
});

it('renews the expiry of a state once an hour', async () => {
  await written(states, nowMs - 2 * 3_600 * SECOND_MS);
  expect(await redis.ttl(keyOf(sn))).toBeGreaterThan(6 * 24 * 3_600);
  await written(states, nowMs - 2 * 3_600 * SECOND_MS + 1);
  await redis.expire(keyOf(sn), 100);
  await written(states, nowMs - 1.5 * 3_600 * SECOND_MS);
  expect(await redis.ttl(keyOf(sn))).toBeLessThanOrEqual(100);
  await written(states, nowMs);
  expect(await redis.ttl(keyOf(sn))).toBeGreaterThan(6 * 24 * 3_600);
});
