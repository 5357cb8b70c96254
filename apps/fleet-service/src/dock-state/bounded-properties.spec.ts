import { boundedProperties } from './bounded-properties.js';

const namesOf = (properties: Record<string, unknown>): string[] =>
  boundedProperties(properties).kept.map(([name]) => name);

it('keeps what a documented device sends', () => {
  const { kept, dropped } = boundedProperties({ mode_code: 0, position_state: { quality: 5 }, list: [1, 2] });
  expect(kept).toEqual([
    ['mode_code', '0', 0],
    ['position_state', '{"quality":5}', { quality: 5 }],
    ['list', '[1,2]', [1, 2]],
  ]);
  expect(dropped).toBe(0);
});

it('keeps the first 500 of many thousands, and says how many were left out', () => {
  const many = Object.fromEntries(Array.from({ length: 22_000 }, (_, index) => [`p${index}`, index]));
  const { kept, dropped } = boundedProperties(many);
  expect([kept.length, kept[0]?.[0], dropped]).toEqual([500, 'p0', 21_500]);
});

it.each([
  ['a name that is too long', { ['n'.repeat(129)]: 1 }],
  ['a value that is too long', { long: 'x'.repeat(16 * 1024) }],
  ['a name of our own', { _seen: 1 }],
  ['a value that is none', { nothing: undefined }],
])('leaves out %s, and keeps the rest', (_what, bad) => {
  expect(namesOf({ before: 1, ...bad, after: 2 })).toEqual(['before', 'after']);
});
