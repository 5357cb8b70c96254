import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Fleet, sizeOf } from './size.js';
import { sizeTable } from './table.js';

const fleet = (parts: Partial<Fleet> = {}): Fleet => ({
  ...{ docks: 1_000, flightsPerDay: 5, minutesPerFlight: 25, photosPerFlight: 50, herd: 50 },
  ...parts,
});

it('asks for two replicas of each program even for one dock, since one may be gone', () => {
  const { programs } = sizeOf(fleet({ docks: 1 }));
  expect(programs.map(({ replicas }) => replicas)).toEqual([2, 2, 2, 2, 2]);
});

it.each([
  ['docks', { docks: 2_000 }],
  ['flights', { flightsPerDay: 10 }],
  ['longer flights', { minutesPerFlight: 50 }],
])('never asks for less for more %s', (_, more) => {
  const [small, large] = [sizeOf(fleet()), sizeOf(fleet(more))];
  expect(large.postgres.diskGb).toBeGreaterThan(small.postgres.diskGb);
  expect(large.postgres.walGbPerDay).toBeGreaterThan(small.postgres.walGbPerDay);
  for (const [index, { replicas, cores }] of large.programs.entries()) {
    expect(replicas).toBeGreaterThanOrEqual(small.programs[index]?.replicas ?? 0);
    expect(cores).toBeGreaterThanOrEqual(small.programs[index]?.cores ?? 0);
  }
});

it('has no more aircraft in the air than there are docks', () => {
  expect(sizeOf(fleet({ flightsPerDay: 200, minutesPerFlight: 60 })).inTheAir).toBe(1_000);
});

it('says which of its figures nobody has measured', () => {
  expect(sizeOf(fleet({ docks: 100_000, herd: 5_000 })).notes.join('\n')).toContain('500 were measured');
});

it('prints the table that docs/scaling.md shows', () => {
  const root = path.resolve(import.meta.dirname, '../../../..');
  const squeezed = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
  expect(squeezed(readFileSync(path.join(root, 'docs/scaling.md'), 'utf8'))).toContain(squeezed(sizeTable()));
});
