import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { RuleResult } from '@aerie/mission-core';
import { RULE_WORDS_1 } from './rule-words.js';

const WORDS = 1;
const dictionary = Buffer.from(RULE_WORDS_1);
/** No preflight is near this. */
const MAX_BYTES = 256 * 1024;

/** Rules as they lie in the database: which words they were packed by, and what differs from those. */
export const packRules = (rules: readonly RuleResult[]): Buffer =>
  Buffer.concat([Buffer.of(WORDS), deflateRawSync(JSON.stringify(rules), { dictionary })]);

export function unpackRules(packed: Buffer): readonly RuleResult[] {
  if (packed[0] !== WORDS) throw new Error('rules were packed by words that this release does not have');
  const text = inflateRawSync(packed.subarray(1), { dictionary, maxOutputLength: MAX_BYTES }).toString();
  return JSON.parse(text) as RuleResult[];
}
