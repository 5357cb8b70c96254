import { checkVersion, readIfMatch } from './if-match.js';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

it.each([
  ['"7"', 7],
  ['7', 7],
  ['*', null],
  [undefined, null],
])('reads the header %p as %p', (header, version) => {
  expect(readIfMatch(header)).toBe(version);
});

it.each(['W/"7"', '"seven"', '', '"7", "8"', '-1', '"1234567890"'])('refuses %p and names the header', (header) => {
  expect(thrownBy(() => readIfMatch(header))).toMatchObject({ kind: 'invalid', fields: [{ field: 'If-Match' }] });
});

it('says which version it is now', () => {
  expect(thrownBy(() => checkVersion(7, 9))).toMatchObject({ kind: 'outdated', details: { version: 9 } });
});

it.each([null, 9])('lets %p through where the version is 9', (expected) => {
  expect(() => checkVersion(expected, 9)).not.toThrow();
});
