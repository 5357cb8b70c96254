import { expectEqual } from './expect-equal.js';

describe('an equality inside a property', () => {
  it.each([
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
    [{ a: 1, b: undefined }, { a: 1 }],
    [NaN, NaN],
  ])('holds for %j and %j, as toEqual does', (received, expected) => {
    expect(() => expectEqual(received, expected)).not.toThrow();
  });

  it.each([
    [{ a: 1 }, { a: 2 }],
    [
      [1, 2],
      [2, 1],
    ],
    ['7', 7],
  ])('fails for %j and %j, and shows both', (received, expected) => {
    expect(() => expectEqual(received, expected)).toThrow(/Expected[\s\S]*Received/);
  });
});
