import { isDeepStrictEqual } from 'node:util';

/**
 * `expect(received).toEqual(expected)` for the inside of properties: it is asked only where the two are not equal to the
 * letter. Asked each time it takes most of the time of a property, over hundreds of thousands of runs.
 */
export function expectEqual(received: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(received, expected)) expect(received).toEqual(expected);
}
