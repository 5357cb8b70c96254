import { msOf, timestampOf } from './instants.js';

it.each(['1969-12-31T23:59:59.750Z', '2030-01-01T12:00:00.250Z'])('writes and reads the instant %s', (iso) => {
  expect(msOf(timestampOf(iso))).toBe(Date.parse(iso));
});
