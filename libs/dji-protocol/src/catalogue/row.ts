import type { AdviceKey } from './advice.js';

/** Numbers that mean the same, what they mean in English and Chinese, and what to do. */
export type Row = readonly [numbers: readonly number[], en: string, zh: string, advice: AdviceKey];

/** Every integer from first to last, both included. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
