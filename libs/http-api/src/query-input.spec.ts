import { InvalidError } from '@aerie/kernel';
import { z } from 'zod';
import { instantInput } from './instant.js';
import { queryFlag, queryList, spanInOrder } from './query-input.js';
import { readInput } from './read-input.js';

const query = z
  .object({
    dryRun: queryFlag.default(false),
    state: queryList(['red', 'blue']).optional(),
    from: instantInput.optional(),
    until: instantInput.optional(),
  })
  .check(spanInOrder);

function problemsOf(sent: Readonly<Record<string, string>>) {
  try {
    readInput(query, sent, 'query');
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.fields.map(({ field }) => field);
    throw error;
  }
}

const [EARLY, LATE] = ['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'] as const;

it('reads flags and lists of words', () => {
  expect(readInput(query, { dryRun: 'true', state: 'red,blue' })).toEqual({ dryRun: true, state: ['red', 'blue'] });
  expect(readInput(query, { state: 'blue' })).toEqual({ dryRun: false, state: ['blue'] });
});

it.each([{ dryRun: 'yes' }, { dryRun: '' }, { state: '' }, { state: 'red,green' }])('refuses %j', (sent) => {
  expect(problemsOf(sent)[0]).toMatch(/^(dryRun|state)/);
});

it.each([
  ['from', { from: 'x', until: LATE }],
  ['until', { from: EARLY, until: '' }],
  ['until', { from: LATE, until: 'x' }],
])('refuses %s alone where it is no instant: %j', (field, sent) => {
  expect(problemsOf(sent)).toEqual([field]);
});

it('refuses a span that ends before it begins, or where it begins', () => {
  expect(problemsOf({ from: EARLY, until: LATE })).toEqual([]);
  expect(problemsOf({ from: EARLY })).toEqual([]);
  expect(problemsOf({ from: LATE, until: EARLY })).toEqual(['until']);
  expect(problemsOf({ from: EARLY, until: EARLY })).toEqual(['until']);
});
