import type { RuleResult } from '@aerie/mission-core';
import { PackedJson } from '@aerie/persistence';
import { RULE_WORDS_1 } from './rule-words.js';

const packedRules = new PackedJson(1, RULE_WORDS_1);

/** Rules as they lie in the database: what differs from how they usually read. */
export const packRules = (rules: readonly RuleResult[]): Buffer => packedRules.pack(rules);

export const unpackRules = (packed: Buffer): readonly RuleResult[] => packedRules.unpack(packed) as RuleResult[];
