import { bothOf } from '@aerie/persistence/testing';
import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { DockPositions } from './dock-positions.js';
import { DockStore, DocksOfAll } from './dock.store.js';
import { importDocks, readDocks } from './import-docks.js';

const logger = createLogger('positions-spec', 'silent');
const MINUTE_MS = 60_000;
const HOME = { latitude: 46.5197, longitude: 6.6323 };
/** 11 m and 33 m to the north. */
const BESIDE = { ...HOME, latitude: 46.5198 };
const MOVED = { ...HOME, latitude: 46.52 };

let dataSource: DataSource;
let api: DataSource;
let drop: () => Promise<void>;
let organisationId: string;
let sn: string;
let nowMs: number;
let statements: number;
let positions: DockPositions;

beforeAll(async () => {
  ({ dataSource, api, drop } = await fleetTestDatabase());
}, 60_000);
afterAll(() => drop(), 30_000);

beforeEach(async () => {
  sn = `POS-${randomUUID().slice(0, 8)}`;
  const line = JSON.stringify({ sn, model: 'dock2', name: sn });
  organisationId = (await importDocks(dataSource, readDocks(line)))[0]?.organisationId ?? '';
  nowMs = Date.now();
  statements = 0;
  positions = aReplica();
});

/** Counts the statements that it writes with. */
function aReplica(): DockPositions {
  const engine = engineWith((sql, parameters) => {
    statements++;
    return dataSource.query<unknown>(sql, parameters);
  });
  return new DockPositions({ api: new ApiDatabase(api), engine }, logger);
}

const engineWith = (query: (sql: string, parameters: unknown[]) => Promise<unknown>): DataSource =>
  Object.assign(Object.create(dataSource) as DataSource, { query });

/** What telemetry says, and until it is written. */
async function says(position: Readonly<Record<string, unknown>>, inMs: number, by = positions): Promise<void> {
  by.note(sn, position, nowMs + inMs);
  await by.stop();
}

const stored = async () => (await new DockStore(new ApiDatabase(api)).find(wholeOf(organisationId), sn)) ?? null;

it('keeps the position that a dock says first', async () => {
  expect((await positions.of([sn])).size).toBe(0);
  await says({ ...HOME, height: 480 }, 0);
  expect((await positions.of([sn])).get(sn)).toMatchObject({ ...HOME, source: 'dock' });
  await expect(new DocksOfAll(dataSource).records([sn])).resolves.toMatchObject([{ position: HOME }]);
});

it('sends no statement while the dock stays where it is', async () => {
  await says(HOME, 0);
  statements = 0;
  for (let second = 1; second <= 300; second++) await says(second % 2 === 0 ? HOME : BESIDE, second * 1_000);
  expect(statements).toBe(0);
});

it('writes nothing for a replica that hears the dock later and elsewhere by some metres', async () => {
  await says(HOME, 0);
  const before = await stored();
  await says(BESIDE, 1_000, aReplica());
  expect(await stored()).toEqual(before);
});

it('keeps the new position of a dock that moved', async () => {
  await says(HOME, 0);
  await says(MOVED, MINUTE_MS);
  expect((await positions.of([sn])).get(sn)).toMatchObject(MOVED);
});

it('writes a dock that moves with each message once in ten seconds', async () => {
  await says(HOME, 0);
  statements = 0;
  for (let second = 1; second <= 60; second++) await says(second % 2 === 0 ? HOME : MOVED, second * 1_000);
  expect(statements).toBeGreaterThan(0);
  expect(statements).toBeLessThanOrEqual(6);
});

it.each([
  ['0, 0', { latitude: 0, longitude: 0 }],
  ['a place beyond the earth', { latitude: 146, longitude: 6 }],
  ['nothing', {}],
])('keeps the last position when the dock says %s', async (_what, position) => {
  await says(HOME, 0);
  await says(position, MINUTE_MS);
  expect((await positions.of([sn])).get(sn)).toMatchObject(HOME);
});

it('keeps what an operator enters until the dock says where it is', async () => {
  await expect(positions.enter(wholeOf(organisationId), sn, MOVED)).resolves.toBe(true);
  expect((await positions.of([sn])).get(sn)).toMatchObject({ ...MOVED, source: 'operator' });
  await says({ latitude: 0, longitude: 0 }, 0);
  expect((await positions.of([sn])).get(sn)).toMatchObject({ ...MOVED, source: 'operator' });
  await says(MOVED, 0);
  expect((await positions.of([sn])).get(sn)).toMatchObject({ ...MOVED, source: 'dock' });
});

it('compares a position that it has noted again after ten minutes', async () => {
  await says(HOME, 0);
  await positions.enter(wholeOf(organisationId), sn, MOVED);
  await says(HOME, 9 * MINUTE_MS);
  expect((await positions.of([sn])).get(sn)).toMatchObject({ ...MOVED, source: 'operator' });
  await says(HOME, 11 * MINUTE_MS);
  expect((await positions.of([sn])).get(sn)).toMatchObject({ ...HOME, source: 'dock' });
});

it('enters no position for a dock of another organisation', async () => {
  await expect(positions.enter(wholeOf(randomUUID()), sn, HOME)).resolves.toBe(false);
  expect((await positions.of([sn])).size).toBe(0);
});

it('answers without positions while the database does not', async () => {
  const silent = { query: () => new Promise(() => undefined) } as unknown as DataSource;
  const startMs = Date.now();
  expect((await new DockPositions(bothOf(silent), logger).of([sn])).size).toBe(0);
  expect(Date.now() - startMs).toBeLessThan(900);
  const broken = { query: () => Promise.reject(new Error('gone')) } as unknown as DataSource;
  expect((await new DockPositions(bothOf(broken), logger).of([sn])).size).toBe(0);
});

it('tries again with the next message after a write that failed', async () => {
  let fails = true;
  const query = (sql: string, parameters: unknown[]) =>
    fails ? Promise.reject(new Error('gone')) : dataSource.query<unknown>(sql, parameters);
  const unlucky = new DockPositions(bothOf(engineWith(query)), logger);
  await says(HOME, 0, unlucky);
  fails = false;
  await says(HOME, 1_000, unlucky);
  await eventually('it is kept', async () => (await positions.of([sn])).has(sn));
});
