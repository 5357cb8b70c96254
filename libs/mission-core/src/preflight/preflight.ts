import type { PreflightPolicy } from './preflight.policy.js';
import type { PreflightFacts, PreflightResult, RuleName, RuleResult, TunableRuleName } from './preflight.types.js';
import { readingOf } from './readings.js';
import type { Judgement, Look } from './rule.js';
import { RULE_NAMES, rules } from './rules.js';

const HARD_REMEDY = 'In doubt do not take off: see that the dock is connected and sends its status.';
const TUNABLE_REMEDY = 'Find out why the dock does not say it, or let the policy pass this rule without it.';

/**
 * May this mission fly? Asks every rule, also after the first no, because whoever mends one thing wants to know the
 * next. Never throws, whatever a dock says of itself. The dock has the last word in any case: it looks again.
 */
export function preflight(facts: PreflightFacts, policy: PreflightPolicy): PreflightResult {
  const results = RULE_NAMES.map((name) => askRule(name, facts, policy));
  return { verdict: results.some(({ verdict }) => verdict === 'no_go') ? 'no_go' : 'go', rules: results };
}

function askRule(name: RuleName, facts: PreflightFacts, policy: PreflightPolicy): RuleResult {
  const rule = rules[name];
  const look: Look = {
    facts,
    policy,
    reading: (property) => (rule.reads.includes(property) ? readingOf(facts.dock, property) : { kind: 'absent' }),
  };
  const judgement = rule.judge(look);
  const head = { rule: name, hard: rule.hard, unit: rule.unit };
  if (rule.hard) return { ...head, ...conclude(judgement, rule.whenMissing(look), HARD_REMEDY) };

  // Every rule that is not hard has its limits in the policy: the types of both say so.
  const { enabled, whenUnknown } = policy[name as TunableRuleName];
  const result = { ...head, ...conclude(judgement, whenUnknown, TUNABLE_REMEDY) };
  return enabled ? result : { ...result, verdict: 'off', message: `The policy does not ask. ${judgement.says}` };
}

type Conclusion = Pick<RuleResult, 'verdict' | 'input' | 'limit' | 'margin' | 'message'>;

function conclude(judgement: Judgement, whenMissing: 'pass' | 'fail', missingRemedy: string): Conclusion {
  if (judgement.kind === 'judged') {
    const { go, input, limit, margin, says, remedy } = judgement;
    return { verdict: go ? 'go' : 'no_go', input, limit, margin, message: go ? says : `${says} ${remedy}` };
  }
  const { limit, says } = judgement;
  const nothing = { input: null, limit, margin: null };
  if (whenMissing === 'pass') return { ...nothing, verdict: 'unknown', message: `${says} That passes.` };
  return { ...nothing, verdict: 'no_go', message: `${says} ${missingRemedy}` };
}
