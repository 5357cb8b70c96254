import { checkVersion, readIfMatch } from './if-match.js';

it.each([
  ['"7"', 7],
  ['7', 7],
  ['*', null],
  [undefined, null],
])('reads the header %p as %p', (header, version) => {
  expect(readIfMatch(header)).toBe(version);
});

it.each(['W/"7"', '"seven"', '', '"7", "8"', '-1', '"1234567890"'])('refuses %p and names the header', (header) => {
  expect(() => readIfMatch(header)).toThrow(
    expect.objectContaining({ kind: 'invalid', fields: [expect.objectContaining({ field: 'If-Match' })] }),
  );
});

it('says which version it is now', () => {
  expect(() => checkVersion(7, 9)).toThrow(expect.objectContaining({ kind: 'outdated', details: { version: 9 } }));
});

it.each([null, 9])('lets %p through where the version is 9', (expected) => {
  expect(() => checkVersion(expected, 9)).not.toThrow();
});
