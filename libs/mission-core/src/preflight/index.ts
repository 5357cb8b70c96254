export { type DockModelName, type RouteModels } from './aircraft-models.js';
export {
  type DockFacts,
  type HardRuleName,
  type ModelFacts,
  type PreflightFacts,
  type PreflightResult,
  type RuleName,
  type RuleResult,
  type Shown,
  type Stage,
  type TunableRuleName,
  type Unit,
} from './preflight.types.js';
export { DEFAULT_POLICY, FARTHEST_METERS, type PreflightPolicy } from './preflight.policy.js';
export { readPolicy } from './read-policy.js';
export { PREFLIGHT_PROPERTIES, RULE_NAMES } from './rules.js';
export { preflight } from './preflight.js';
export { type PreflightCause, causeOf, failedRules } from './preflight.cause.js';
