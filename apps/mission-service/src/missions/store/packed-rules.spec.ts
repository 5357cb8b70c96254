import { createHash } from 'node:crypto';
import type { RuleResult } from '@aerie/mission-core';
import { packRules, unpackRules } from './packed-rules.js';
import { RULE_WORDS_1 } from './rule-words.js';

const usual = JSON.parse(`[${RULE_WORDS_1}]`) as RuleResult[];

it('gives back rules as they were, whatever they say', () => {
  const other = { ...usual[0], message: 'Ø \u0007 — a rule of another release', input: 3.25, more: [1] } as RuleResult;
  for (const rules of [usual, usual.slice(-16), [other], []]) expect(unpackRules(packRules(rules))).toEqual(rules);
});

it('takes a tenth of the room for rules with other numbers than usual', () => {
  const rules = usual.slice(-16).map((rule, n) => (typeof rule.input === 'number' ? { ...rule, input: 7 + n } : rule));
  expect(packRules(rules).length).toBeLessThan(JSON.stringify(rules).length / 10);
});

it('keeps the words by which rows were packed', () => {
  // Another list makes them unreadable: it needs a number of its own.
  expect(createHash('sha256').update(RULE_WORDS_1).digest('hex')).toBe(
    'cf03c59b04c73ac94d2b76e4177885649208e70d92bccba3b54309c86c8e288e',
  );
});

it('refuses rules that were packed by words of a later release', () => {
  expect(() => unpackRules(Buffer.concat([Buffer.of(2), packRules(usual).subarray(1)]))).toThrow('does not have');
});
