import fc from 'fast-check';
import { refuseRepeated, repeatedMember } from './repeated-member.js';

describe('a JSON text', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":{"b":[{"c":1},{"c":1,"c":2}]}}', 'a.b.c'],
    ['{"a":"{\\"a\\":1}","b":["a","a"],"a":1}', 'a'],
    ['{"dryRun":true,"dry\\u0052un":false}', 'dryRun'],
  ])('that has a member twice is found: %s', (text, path) => {
    expect(repeatedMember(text)).toBe(path);
  });

  it.each(['{"a":{"a":1},"b":{"a":1}}', '[{"a":1},{"a":1}]', '["a","a"]', '{"a":"a","b":"a"}', '""', '7'])(
    'that has each member once is taken: %s',
    (text) => {
      expect(repeatedMember(text)).toBeNull();
    },
  );

  it('that any value is written as has no member twice', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(repeatedMember(JSON.stringify(value))).toBeNull()));
  });

  it('that is no JSON is left to its parser', () => {
    fc.assert(fc.property(fc.string(), (text) => void repeatedMember(text)));
    expect(repeatedMember('{"a":1,"a')).toBeNull();
  });

  it('that has a member twice is refused with its name', () => {
    expect(() => refuseRepeated(null, null, Buffer.from('{"executeAt":1,"executeAt":2}'))).toThrow(
      'executeAt comes twice in one object',
    );
  });
});
