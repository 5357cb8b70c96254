import type { DockNote } from '@aerie/bus-contract';
import { NoteDocks } from './note-docks.js';

let said: DockNote[];
let notes: NoteDocks;
beforeEach(() => {
  said = [];
  const publish = (_subject: string, body: unknown): void => void said.push(JSON.parse(String(body)) as DockNote);
  notes = new NoteDocks({ publish });
});

it('says a note at once, and what follows within five seconds as one with its count', () => {
  for (let atMs = 0; atMs <= 5_000; atMs += 1_000) notes.note('DOCK-1', 'flat_properties', atMs);
  expect(said.map(({ count, atMs }) => ({ count, atMs }))).toEqual([
    { count: 1, atMs: 0 },
    { count: 5, atMs: 5_000 },
  ]);
});

it('says a note about something else at once', () => {
  notes.note('DOCK-1', 'foreign_flight', 0, 'flight one');
  notes.note('DOCK-1', 'foreign_flight', 1, 'flight two');
  notes.note('DOCK-2', 'foreign_flight', 2, 'flight two');
  expect(said.map(({ sn, detail }) => `${sn} ${detail}`)).toEqual([
    'DOCK-1 flight one',
    'DOCK-1 flight two',
    'DOCK-2 flight two',
  ]);
});
