import { InvalidError } from '@aerie/kernel';
import { readNewCampaign } from './campaign.input.js';

const NOW_MS = Date.UTC(2030, 0, 1);

function problemsOf(given: object): (readonly [string, string])[] {
  try {
    readNewCampaign({ name: 'all roofs', docks: {}, logs: { latest: { count: 1 } }, ...given }, NOW_MS);
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.fields.map(({ field, message }) => [field, message] as const);
    throw error;
  }
}

it('takes an end that is to come, and none', () => {
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf({ until: '2030-01-02T00:00:00Z' })).toEqual([]);
});

it('refuses an end that has passed', () => {
  expect(problemsOf({ until: '2029-12-31T00:00:00Z' })).toMatchObject([
    ['until', expect.stringContaining('lies in the past')],
  ]);
});

it.each(['', 'x', 5, null])('refuses %j for an end, once', (until) => {
  expect(problemsOf({ until }).map(([field]) => field)).toEqual(['until']);
});

it.each([
  [{ logs: { latest: { count: 1 }, window: 'x' } }, 'logs.window'],
  [{ logs: { window: { from: 'x', until: '' } } }, 'logs.window.from'],
  [{ logs: {} }, 'logs'],
  [{ logs: null }, 'logs'],
])('refuses %j by its field', (given, field) => {
  expect(problemsOf(given)[0]?.[0]).toBe(field);
});
