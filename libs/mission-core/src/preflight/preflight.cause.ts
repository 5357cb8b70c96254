import type { PreflightResult, RuleName } from './preflight.types.js';

export type PreflightCause =
  'dock_cut_off' | 'dock_offline' | 'dock_fault' | 'preflight_no_go' | 'dock_unknown_state' | 'dock_busy';

/** The rules whose no has a name of its own; every other one is `preflight_no_go`. */
const NAMED_CAUSES: Readonly<Partial<Record<RuleName, PreflightCause>>> = {
  cut_off: 'dock_cut_off',
  dock_seen: 'dock_offline',
  unknown_outcome: 'dock_unknown_state',
  dock_in_order: 'dock_fault',
  dock_idle: 'dock_busy',
  log_export: 'dock_busy',
};

/** A dock that flies another mission has no aircraft in it and an open cover, and knows no charge. It is still only busy. */
const FOLLOWS_FROM_BUSY: readonly RuleName[] = ['aircraft_in_dock', 'cover', 'battery'];

/**
 * The first that holds is the cause. A dock that is cut off is silent because of that. Of a silent dock nothing else is known. Then what somebody must mend, or what only
 * the weather can; then the mission that a person must resolve; last what passes by itself.
 */
const ORDER: readonly PreflightCause[] = [
  'dock_cut_off',
  'dock_offline',
  'dock_fault',
  'preflight_no_go',
  'dock_unknown_state',
  'dock_busy',
];

export function failedRules(result: PreflightResult): RuleName[] {
  return result.rules.filter(({ verdict }) => verdict === 'no_go').map(({ rule }) => rule);
}

/** One word for a no-go. Meant for a result that is one. */
export function causeOf(result: PreflightResult): PreflightCause {
  // Without an input the dock did not say that it is busy, and nothing follows.
  const busy = result.rules.some(
    ({ rule, verdict, input }) => rule === 'dock_idle' && verdict === 'no_go' && input !== null,
  );
  const failed = failedRules(result).filter((rule) => !busy || !FOLLOWS_FROM_BUSY.includes(rule));
  const causes = failed.map((rule) => NAMED_CAUSES[rule] ?? 'preflight_no_go');
  return ORDER.find((cause) => causes.includes(cause)) ?? 'preflight_no_go';
}
