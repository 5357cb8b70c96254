import { namesOther } from './named-flight.js';

const NOW = new Date('2030-01-01T12:00:00Z');
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
const named = (dock_flight_id: string | null, dock_flight_at: Date | null) => ({
  id: 'mine',
  now: NOW,
  dock_flight_id,
  dock_flight_at,
});

it('is another flight that was named just now', () => {
  expect(namesOther(named('other', ago(2_000)), null)).toBe(true);
});

it.each([
  ['is this one', named('mine', ago(2_000))],
  ['was named too long ago', named('other', ago(21_000))],
  ['was never named', named(null, null)],
])('is none when the flight %s', (_why, given) => {
  expect(namesOther(given, null)).toBe(false);
});

it('is none when it was named before the start that is in question', () => {
  const given = named('other', ago(5_000));
  expect(namesOther(given, ago(3_000).getTime())).toBe(false);
  expect(namesOther(given, ago(7_000).getTime())).toBe(true);
});
