import { Parts } from './test-parts.js';

it('says at the end of a test run which part failed, also when it is no test', () => {
  let nowMs = 0;
  const parts = new Parts(() => nowMs);
  const taking = (ms: number, passed: boolean) => (): boolean => {
    nowMs += ms;
    return passed;
  };

  parts.run('format', taking(3_000, true));
  parts.run('lint', taking(61_000, false));
  parts.run('unit', taking(40_400, true));

  expect(parts.healthy).toBe(false);
  expect(parts.summary()).toBe('  format    passed  3 s\n  lint      FAILED  61 s\n  unit      passed  40 s');
});
