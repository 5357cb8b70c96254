import type { StepResult } from './step.js';

const SIGN = { passed: 'ok', failed: 'FAILED', skipped: '-' } as const;

/** A report for a terminal: a line for each step, and what to change below it. */
export function linesOf(steps: readonly StepResult[]): readonly string[] {
  return steps.flatMap(({ step, verdict, found, change }) => [
    `${SIGN[verdict].padEnd(7)}${step.padEnd(20)}${found}`,
    ...(change === null ? [] : [`${' '.repeat(27)}-> ${change}`]),
  ]);
}
