import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { eventually, testEnvironment } from '@aerie/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { DockStates } from './dock-states.js';

/** What was sent on change lies in the database; these stories are about Redis. */
const nothingStored = { query: async () => [] } as unknown as DataSource;
const logger = createLogger('states-spec', 'silent');

let redis: Redis;
let states: DockStates;
beforeEach(() => {
  redis = new Redis(testEnvironment().redisUrl);
  states = new DockStates(redis, nothingStored, logger);
  states.start();
});
afterEach(async () => {
  await states.stop();
  redis.disconnect();
});

const aSn = (): string => `ST-${randomUUID().slice(0, 8)}`;
const nowMs = Date.now();
const read = async (sn: string) => (await states.read([sn]))[0];
const valueOf = async (sn: string, property: string) => (await read(sn))?.properties[property]?.value;

it('merges partial messages field by field', async () => {
  const sn = aSn();
  states.merge(sn, { mode_code: 0, cover_state: 1 }, nowMs);
  await eventually('the first is written', async () => (await valueOf(sn, 'cover_state')) === 1);
  states.merge(sn, { mode_code: 4 }, nowMs + 1);
  await eventually('the second is written', async () => (await valueOf(sn, 'mode_code')) === 4);
  expect(await valueOf(sn, 'cover_state')).toBe(1);
});

it('notes when a dock was heard again after a silence that could hide a flight', async () => {
  const sn = aSn();
  states.merge(sn, { a: 1 }, nowMs - 100_000);
  await eventually('it is written', async () => (await valueOf(sn, 'a')) === 1);
  states.merge(sn, { a: 2 }, nowMs - 10_000);
  await eventually('it is written', async () => (await valueOf(sn, 'a')) === 2);
  const backAgoMs = (await read(sn))?.backAgoMs ?? 0;
  expect(backAgoMs).toBeGreaterThanOrEqual(10_000);
  expect(backAgoMs).toBeLessThan(60_000);
});

it('does not call a short silence a return', async () => {
  const sn = aSn();
  states.merge(sn, { a: 1 }, nowMs - 100_000);
  await eventually('it is written', async () => (await valueOf(sn, 'a')) === 1);
  states.merge(sn, { a: 2 }, nowMs - 70_000);
  await eventually('it is written', async () => (await valueOf(sn, 'a')) === 2);
  expect((await read(sn))?.backAgoMs).toBeGreaterThanOrEqual(100_000);
});

it('still knows which docks it heard while Redis is away, so that they may fly', async () => {
  const sn = aSn();
  const away = new Redis({ port: 1, maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true });
  away.on('error', () => undefined);
  const without = new DockStates(away, nothingStored, logger);
  without.merge(sn, { mode_code: 0 }, Date.now());
  const [view] = await without.read([sn]);
  expect(view?.seenAgoMs).toBeLessThan(5_000);
  expect((await without.presence([sn])).get(sn)?.online).toBe(true);
  away.disconnect();
});

it('is full again after the state was wiped and the dock spoke', async () => {
  const sn = aSn();
  states.merge(sn, { mode_code: 0 }, nowMs);
  await eventually('it is written', async () => (await valueOf(sn, 'mode_code')) === 0);
  await redis.del(`{fleet}:device:${sn}`);
  states.merge(sn, { mode_code: 4 }, Date.now());
  await eventually('it is back', async () => (await valueOf(sn, 'mode_code')) === 4);
});
