import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { type DockSearch, DocksOfAll } from './dock.store.js';
import { importDocks, readDocks } from './import-docks.js';

let dataSource: DataSource;
let drop: () => Promise<void>;
let organisationId: string;

/** In another order than that of their serial numbers. */
const DOCKS = [
  { sn: 'FIND-3', model: 'dock3', name: 'Harbour, south' },
  { sn: 'FIND-1', model: 'dock2', name: 'Harbour, NORTH', aircraftSn: 'FIND-1A' },
  { sn: 'FIND-2', model: 'dock2', name: '100 % wind_power' },
];

beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
  const imported = await importDocks(dataSource, readDocks(DOCKS.map((dock) => JSON.stringify(dock)).join('\n')));
  organisationId = imported[0]?.organisationId ?? '';
}, 60_000);
afterAll(() => drop(), 30_000);

const found = async (parts: Partial<DockSearch> = {}): Promise<string[]> => {
  const docks = await new DocksOfAll(dataSource).search({ organisationId, limit: 500, ...parts });
  return docks.map(({ sn }) => sn);
};

it('finds all docks of an organisation in the order of their serial numbers, and none of another', async () => {
  await expect(found()).resolves.toEqual(['FIND-1', 'FIND-2', 'FIND-3']);
  await expect(found({ organisationId: randomUUID() })).resolves.toEqual([]);
});

it('goes on after a serial number, up to a limit', async () => {
  await expect(found({ limit: 2 })).resolves.toEqual(['FIND-1', 'FIND-2']);
  await expect(found({ limit: 2, after: 'FIND-2' })).resolves.toEqual(['FIND-3']);
});

it.each([
  ['by their serial numbers', { sns: ['FIND-3', 'FIND-1', 'UNKNOWN'] }, ['FIND-1', 'FIND-3']],
  ['by their models', { models: ['dock3'] }, ['FIND-3']],
  ['by no model at all', { models: [] }, []],
  ['by a part of their names, in any case', { nameContains: 'nOrTh' }, ['FIND-1']],
  ['by letters that are a pattern elsewhere', { nameContains: '0 % wind_' }, ['FIND-2']],
  ['by all of it together', { sns: ['FIND-1', 'FIND-2'], models: ['dock2'], nameContains: 'harbour' }, ['FIND-1']],
] as const)('finds docks %s', async (_what, parts, sns) => {
  await expect(found(parts)).resolves.toEqual(sns);
});

it('tells what a dock is and which aircraft it has', async () => {
  const [dock] = await new DocksOfAll(dataSource).search({ organisationId, limit: 1 });
  expect(dock).toMatchObject({ ...DOCKS[1], organisationId });
});

it('finds no dock that is not registered to its end', async () => {
  await dataSource.query(`UPDATE fleet.dock SET provisioned_at = NULL WHERE sn = 'FIND-2'`);
  await expect(found()).resolves.toEqual(['FIND-1', 'FIND-3']);
});
