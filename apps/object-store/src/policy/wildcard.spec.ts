import fc from 'fast-check';
import { matchesWildcard } from './wildcard.js';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 });
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 });

describe('a wildcard', () => {
  it('matches exactly what the regular expression of the same meaning matches', () => {
    fc.assert(
      fc.property(pattern, text, (wildcard, candidate) => {
        const source = wildcard.replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesWildcard(wildcard, candidate)).toBe(new RegExp(`^${source}$`, 'su').test(candidate));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes a text without wildcards for itself alone', () => {
    fc.assert(fc.property(text, text, (one, other) => expect(matchesWildcard(one, other)).toBe(one === other)));
  });

  it('takes a question mark for one whole character, also one outside of the first plane', () => {
    expect(matchesWildcard('a?b', 'a😀b')).toBe(true);
    expect(matchesWildcard('a?b', 'ab')).toBe(false);
  });

  it('does not slow down on a hostile pattern', () => {
    const started = performance.now();
    expect(matchesWildcard(`${'*a'.repeat(1_000)}b`, 'a'.repeat(1_024))).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
