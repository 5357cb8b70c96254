import { isoOf, msOf, timestampOf } from './instants.js';

it.each(['1969-12-31T23:59:59.750Z', '2030-01-01T12:00:00.250Z'])('writes and reads the instant %s', (iso) => {
  expect(msOf(timestampOf(iso))).toBe(Date.parse(iso));
});

it('writes an instant for those who read RFC 3339, and nothing that they take for one where there is none', () => {
  expect(isoOf(timestampOf('2030-01-01T12:00:00.250Z'))).toBe('2030-01-01T12:00:00.250Z');
  expect(isoOf(null)).toBeUndefined();
  expect(isoOf({ seconds: 9e15, nanos: 0 })).toBe('out of range');
});

it.each([-1, 1_000_000_000, 2_147_483_647])('reads no instant where the nanos are %d', (nanos) => {
  expect(msOf({ seconds: 1_900_000_000, nanos })).toBeNaN();
  expect(isoOf({ seconds: 1_900_000_000, nanos })).toBe('out of range');
});
