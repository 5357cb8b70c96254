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
  ['"7"', [7]],
  ['"7", "8"', [7, 8]],
  [' "7","8" ,, "12"', [7, 8, 12]],
  ['"7.31"', [7]],
  ['*', null],
  [' * ', null],
  [undefined, null],
])('reads the header %p as %j', (header, versions) => {
  expect(readIfMatch(header)).toEqual(versions);
});

it.each([
  'W/"7"',
  'W/"7.31"',
  '"7."',
  '"7.3.1"',
  '"seven"',
  '"07"',
  '"1234567890"',
  '"62-GPbPDqvyZaW5ffbmlLV9a38TR1M"',
  '""',
])('takes %p, which is legal, and matches it with no version', (header) => {
  expect(readIfMatch(header)).toEqual([]);
  expect(thrownBy(() => checkVersion(readIfMatch(header), 7))).toMatchObject({ kind: 'outdated' });
});

it.each(['7', '-1', '', '"7', '"7" "8"', '"7", 8', '*, "7"', 'W/7', `"7", ${'x'.repeat(9_000)}`])(
  'refuses %p and names the header',
  (header) => {
    expect(thrownBy(() => readIfMatch(header))).toMatchObject({ kind: 'invalid', fields: [{ field: 'If-Match' }] });
  },
);

it('says of a version without quotes that they are missing', () => {
  const message = expect.stringMatching(/^7 is not in quotes; send the ETag as it was answered/) as unknown;
  expect(thrownBy(() => readIfMatch('7'))).toMatchObject({ fields: [{ message }] });
});

it('says which version it is now', () => {
  expect(thrownBy(() => checkVersion([7, 8], 9))).toMatchObject({
    kind: 'outdated',
    details: { version: 9 },
    fields: [{ message: 'names version 7, 8, but it is 9 now; read it again and decide anew' }],
  });
});

it.each([null, 9, [9], [3, 9]])('lets %j through where the version is 9', (expected) => {
  expect(() => checkVersion(expected, 9)).not.toThrow();
});
