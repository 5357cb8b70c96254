import { randomUUID } from 'node:crypto';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { type Logger, createLogger } from '@aerie/observability';
import { eventually, testEnvironment } from '@aerie/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { DockStates } from './dock-states.js';

const logger = createLogger('states-spec', 'silent');

let dataSource: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
}, 60_000);
afterAll(() => drop(), 30_000);

let redis: Redis;
let states: DockStates;
beforeEach(() => {
  redis = new Redis(testEnvironment().redisUrl);
  states = new DockStates(redis, dataSource, logger);
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
/** In Redis, where other replicas see it. What this one heard itself it answers from memory too. */
const writtenOf = async (sn: string, property: string): Promise<unknown> => {
  const text = await redis.hget(`{fleet}:device:${sn}`, property);
  return text === null ? undefined : (JSON.parse(text) as [number, unknown])[1];
};

it('merges partial messages field by field', async () => {
  const sn = aSn();
  states.merge(sn, { mode_code: 0, cover_state: 1 }, nowMs);
  await eventually('the first is written', async () => (await writtenOf(sn, 'cover_state')) === 1);
  states.merge(sn, { mode_code: 4 }, nowMs + 1);
  await eventually('the second is written', async () => (await writtenOf(sn, 'mode_code')) === 4);
  expect(await valueOf(sn, 'cover_state')).toBe(1);
});

it('notes when a dock was heard again after a silence that could hide a flight', async () => {
  const sn = aSn();
  states.merge(sn, { a: 1 }, nowMs - 100_000);
  await eventually('it is written', async () => (await writtenOf(sn, 'a')) === 1);
  states.merge(sn, { a: 2 }, nowMs - 10_000);
  await eventually('it is written', async () => (await writtenOf(sn, 'a')) === 2);
  const backAgoMs = (await read(sn))?.backAgoMs ?? 0;
  expect(backAgoMs).toBeGreaterThanOrEqual(10_000);
  expect(backAgoMs).toBeLessThan(60_000);
});

it('does not call a short silence a return', async () => {
  const sn = aSn();
  states.merge(sn, { a: 1 }, nowMs - 100_000);
  await eventually('it is written', async () => (await writtenOf(sn, 'a')) === 1);
  states.merge(sn, { a: 2 }, nowMs - 70_000);
  await eventually('it is written', async () => (await writtenOf(sn, 'a')) === 2);
  expect((await read(sn))?.backAgoMs).toBeGreaterThanOrEqual(100_000);
});

it('still knows which docks it heard while Redis is away, so that they may fly', async () => {
  const sn = aSn();
  const away = new Redis({ port: 1, maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true });
  away.on('error', () => undefined);
  const without = new DockStates(away, dataSource, logger);
  without.merge(sn, { mode_code: 0 }, Date.now());
  const [view] = await without.read([sn]);
  expect(view?.seenAgoMs).toBeLessThan(5_000);
  expect(view?.properties['mode_code']).toMatchObject({ value: 0 });
  // A process that began to listen just now cannot say that the dock was in sight before.
  expect(view?.backAgoMs).toBeLessThan(5_000);
  expect((await without.presence([sn])).get(sn)?.online).toBe(true);
  away.disconnect();
});

it('is full again after the state was wiped and the dock spoke', async () => {
  const sn = aSn();
  states.merge(sn, { mode_code: 0 }, nowMs);
  await eventually('it is written', async () => (await writtenOf(sn, 'mode_code')) === 0);
  await redis.del(`{fleet}:device:${sn}`);
  states.merge(sn, { mode_code: 4 }, Date.now());
  await eventually('it is back', async () => (await valueOf(sn, 'mode_code')) === 4);
});

it('measures how far the clock of a device is off, and tells the other replicas', async () => {
  const sn = aSn();
  const at = Date.now();
  states.merge(sn, { mode_code: 0 }, at, at - 25_000);
  const other = new DockStates(redis, dataSource, logger);
  await eventually('the other replica knows', async () => (await other.read([sn]))[0]?.clockSkewMs === 25_000);
});

it('reads only the properties that are asked for', async () => {
  const sn = aSn();
  states.merge(sn, { mode_code: 0, rainfall: 1 }, nowMs);
  await eventually('it is written', async () => (await writtenOf(sn, 'rainfall')) === 1);
  const [view] = await states.read([sn], ['mode_code']);
  expect(Object.keys(view?.properties ?? {})).toEqual(['mode_code']);
});

it('C5: answers from memory within a second when Redis hangs', async () => {
  const sn = aSn();
  const sockets: Socket[] = [];
  const hung = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => hung.listen(0, '127.0.0.1', resolve));
  const { port } = hung.address() as AddressInfo;
  const client = new Redis({ port, maxRetriesPerRequest: 1, commandTimeout: 1_000, enableReadyCheck: false });
  client.on('error', () => undefined);
  const without = new DockStates(client, dataSource, logger);
  without.merge(sn, { drone_in_dock: 1 }, Date.now());
  const startedMs = performance.now();
  const [view] = await without.read([sn]);
  expect(view?.properties['drone_in_dock']?.value).toBe(1);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  client.disconnect();
  for (const socket of sockets) socket.destroy();
  hung.close();
});

it('still knows what it heard itself when Redis is wiped: a pressed stop, and since when the dock is in sight', async () => {
  const sn = aSn();
  const at = Date.now();
  for (let agoMs = 120_000; agoMs >= 0; agoMs -= 30_000) states.merge(sn, { emergency_stop_state: 1 }, at - agoMs);
  await eventually('it is written', async () => (await redis.exists(`{fleet}:device:${sn}`)) === 1);
  await redis.del(`{fleet}:device:${sn}`);
  states.merge(sn, { mode_code: 0 }, at);
  await eventually('Redis has the rest', async () => (await redis.hexists(`{fleet}:device:${sn}`, 'mode_code')) === 1);
  const view = await read(sn);
  expect(view?.properties['emergency_stop_state']?.value).toBe(1);
  expect(view?.backAgoMs).toBeGreaterThanOrEqual(120_000);
});

describe('a device that floods', () => {
  const invented = (count: number, prefix = 'p') =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, index]));

  it('with thousands of invented properties costs no other device its state', async () => {
    const [flood, quiet] = [aSn(), aSn()];
    states.merge(flood, { mode_code: 4, ...invented(22_000) }, nowMs);
    states.merge(quiet, { mode_code: 0 }, nowMs);
    await eventually('both are written', async () => {
      return (await writtenOf(quiet, 'mode_code')) === 0 && (await writtenOf(flood, 'mode_code')) === 4;
    });
    expect(Object.keys((await read(flood))?.properties ?? {}).length).toBeLessThanOrEqual(500);
  });

  it('with new names in each message has a bounded state, in which known properties are still renewed', async () => {
    const sn = aSn();
    for (let round = 0; round < 5; round++) {
      states.merge(sn, { mode_code: round, ...invented(400, `r${round}-`) }, nowMs + round);
      await eventually('it is written', async () => (await writtenOf(sn, 'mode_code')) === round);
    }
    expect(await redis.hlen(`{fleet}:device:${sn}`)).toBeLessThanOrEqual(1_000);
  });
});

it('does not believe a time from the future: a dock that left does not stay online', async () => {
  const sn = aSn();
  states.merge(sn, { a: 1 }, Date.now() + 150_000);
  await eventually('it is written', async () => (await writtenOf(sn, 'a')) === 1);
  const seen = Number(await redis.hget(`{fleet}:device:${sn}`, '_seen'));
  expect(seen).toBeLessThanOrEqual(Date.now());
});

it('tells of an ingress whose clock is ahead, once a minute however often it speaks, and by how much', () => {
  const warned: unknown[][] = [];
  const noting = { warn: (...line: unknown[]) => warned.push(line) } as unknown as Logger;
  const told = new DockStates(redis, dataSource, noting);
  told.merge(aSn(), { a: 1 }, Date.now());
  expect(told.clockAheadMs()).toBe(0);
  for (let times = 0; times < 3; times++) told.merge(aSn(), { a: 1 }, Date.now() + 150_000);
  expect(warned).toEqual([[{ aheadMs: expect.any(Number) }, expect.stringContaining('clock is ahead')]]);
  expect(Math.round(told.clockAheadMs() / 1_000)).toBe(150);
});

it('tells when a dock was idle last and since when it is busy, also where replicas overtake each other', async () => {
  const sn = aSn();
  const other = new DockStates(redis, dataSource, logger);
  other.start();
  const BUSY = { mode_code: 4, flighttask_step_code: 5 };
  other.merge(sn, { ...BUSY, late: 1 }, nowMs - 20_000);
  await eventually('the later one is written', async () => (await writtenOf(sn, 'late')) === 1);
  states.merge(sn, { mode_code: 0, flighttask_step_code: 5 }, nowMs - 40_000);
  states.merge(sn, { ...BUSY, early: 1 }, nowMs - 30_000);
  await eventually('the earlier one is written', async () => (await writtenOf(sn, 'early')) === 1);
  await other.stop();
  const { idleAgoMs, busyForMs } = (await read(sn)) ?? {};
  expect(Math.round((idleAgoMs ?? 0) - (busyForMs ?? 0))).toBe(10_000);
  expect(busyForMs).toBeGreaterThanOrEqual(30_000);

  states.merge(sn, { mode_code: 0, again: 1 }, nowMs);
  await eventually('it is idle again', async () => (await valueOf(sn, 'again')) === 1);
  expect((await read(sn))?.busyForMs).toBeNull();
});

it('does not say when a dock was idle while Redis is away, so that a dock which works counts as busy', async () => {
  const sn = aSn();
  const away = new Redis({ port: 1, maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true });
  away.on('error', () => undefined);
  const without = new DockStates(away, dataSource, logger);
  without.merge(sn, { mode_code: 0, flighttask_step_code: 5 }, Date.now() - 20_000);
  without.merge(sn, { mode_code: 4, flighttask_step_code: 5 }, Date.now());
  const [view] = await without.read([sn]);
  expect(view?.properties['mode_code']).toMatchObject({ value: 4 });
  expect([view?.idleAgoMs ?? null, view?.busyForMs ?? null]).toEqual([null, null]);
});

it('counts the docks that were heard of late, and not those that were heard long ago or never', async () => {
  const [here, gone, never] = [aSn(), aSn(), aSn()];
  states.merge(here, { a: 1 }, Date.now());
  states.merge(gone, { a: 1 }, Date.now() - 120_000);
  await eventually(
    'both are written',
    async () => (await writtenOf(here, 'a')) === 1 && (await writtenOf(gone, 'a')) === 1,
  );
  // Another replica, which heard none of them.
  expect(await new DockStates(redis, dataSource, logger).countOnline([here, gone, never])).toBe(1);
});

it('counts no docks while Redis does not answer', async () => {
  const away = new Redis(testEnvironment().redisUrl, { lazyConnect: true, enableOfflineQueue: false });
  await expect(new DockStates(away, dataSource, logger).countOnline([aSn()])).rejects.toThrow();
  away.disconnect();
});
