import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { DocksOfAll } from './dock.store.js';
import { importDocks, readDocks } from './import-docks.js';

let dataSource: DataSource;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
}, 60_000);
afterAll(() => drop(), 30_000);

const lines = (...docks: object[]): string => docks.map((dock) => JSON.stringify(dock)).join('\n');
const aDock = (sn: string, more: object = {}): object => ({ sn, model: 'dock2', name: sn, ...more });

it('registers docks with the aircraft that are in them', async () => {
  const docks = readDocks(lines(aDock('IMPORT-1', { aircraftSn: 'IMPORT-1A' }), aDock('IMPORT-2')));
  const imported = await importDocks(dataSource, docks);
  expect(new Set(imported.map(({ mqttPassword }) => mqttPassword)).size).toBe(2);
  await expect(new DocksOfAll(dataSource).speakerFor('IMPORT-1A')).resolves.toMatchObject({ sn: 'IMPORT-1' });
  await expect(new DocksOfAll(dataSource).speakerFor('IMPORT-2')).resolves.toMatchObject({ aircraftSn: null });
});

it('writes none of them when one is registered already, and names it', async () => {
  await importDocks(dataSource, readDocks(lines(aDock('IMPORT-3', { aircraftSn: 'IMPORT-3A' }))));
  const again = readDocks(lines(aDock('IMPORT-4'), aDock('IMPORT-3')));
  await expect(importDocks(dataSource, again)).rejects.toThrow('registered already: IMPORT-3');
  const taken = readDocks(lines(aDock('IMPORT-5', { aircraftSn: 'IMPORT-3A' })));
  await expect(importDocks(dataSource, taken)).rejects.toThrow('registered already: IMPORT-3A');
  const rows = await dataSource.query<{ sn: string }[]>(
    `SELECT sn FROM fleet.dock WHERE sn IN ('IMPORT-4', 'IMPORT-5')`,
  );
  expect(rows).toEqual([]);
});

it.each([
  ['no docks', '', 'lines'],
  ['what is no JSON', 'dock 1', 'line 1 is no JSON'],
  ['an unknown model', lines(aDock('A'), aDock('B', { model: 'dock9' })), 'line 2: model'],
  ['a serial number with a space', lines(aDock('A 1')), 'line 1: sn'],
  ['a member that it does not know', lines(aDock('A', { colour: 'red' })), 'line 1'],
  ['a dock that is there twice', lines(aDock('A'), aDock('A')), 'A is there twice'],
  [
    'an aircraft in two docks',
    lines(aDock('A', { aircraftSn: 'X' }), aDock('B', { aircraftSn: 'X' })),
    'X is there twice',
  ],
])('reads nothing from a file with %s', (_, text, message) => {
  expect(() => readDocks(text)).toThrow(message);
});
