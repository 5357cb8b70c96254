import { BREAK_REASONS } from './break-reasons.js';
import {
  isAlreadyRunning,
  isBusyForNow,
  isCannotCancelRunning,
  meaningOf,
  USER_RETURN_RESULT,
} from './result-codes.js';

describe('result codes', () => {
  it.each([316026, 319001, 319016, 319018, 319019, 321513, 321514, 321515, 514120, 514134, 514137, 514145, 514148])(
    'counts %i as busy for now',
    (code) => {
      expect(isBusyForNow(code)).toBe(true);
    },
  );

  it.each([0, 319004, 319006, 314005, 321257, 321512, 514149])('does not count %i as busy for now', (code) => {
    expect(isBusyForNow(code)).toBe(false);
  });

  it('knows that a wayline runs already', () => {
    expect([321257, 319016].map(isAlreadyRunning)).toEqual([true, false]);
  });

  it('knows that a running flight cannot be canceled', () => {
    expect([319006, 319007].map(isCannotCancelRunning)).toEqual([true, false]);
  });

  it.each([...BREAK_REASONS.keys()])('has a text for break reason %i as result code (M18)', (reason) => {
    expect(meaningOf(321000 + reason)).not.toBeNull();
  });

  it('tells a return by the user (M18)', () => {
    expect(meaningOf(USER_RETURN_RESULT)).toBe('returned by the user');
  });

  it.each([0, 319001, 386535, 514134, 321788])('has a text for %i', (code) => {
    expect(meaningOf(code)).toEqual(expect.any(String));
  });

  it.each([-1, 7, 999999, 321999, 0.5])('has none for %d', (code) => {
    expect(meaningOf(code)).toBeNull();
  });
});
