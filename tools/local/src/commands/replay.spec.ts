import { readEntries } from './replay.js';

const ENTRY = { at: 'irrelevant', kind: 'note', what: 'created', from: null, to: 'scheduled', version: 1, detail: {} };

it('reads one entry from each line', () => {
  expect(readEntries(`${JSON.stringify(ENTRY)}\n${JSON.stringify(ENTRY)}\n`)).toHaveLength(2);
});

it('reads the answer of the API too', () => {
  expect(readEntries(JSON.stringify({ items: [ENTRY] }))).toEqual([ENTRY]);
});

it.each([
  ['', 'The file is empty.'],
  ['{"kind":"note"}', 'Line 1 is no entry of a timeline.'],
  [`${JSON.stringify(ENTRY)}\nnot json`, 'Line 2 is no entry of a timeline.'],
])('says what is wrong with %p', (text, problem) => {
  expect(readEntries(text)).toBe(problem);
});
