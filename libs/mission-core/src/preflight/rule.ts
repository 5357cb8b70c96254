import type { PreflightPolicy } from './preflight.policy.js';
import type { HardRuleName, PreflightFacts, RuleName, Shown, Unit } from './preflight.types.js';
import type { Reading } from './readings.js';

/** What a rule may look at. */
export interface Look {
  readonly facts: PreflightFacts;
  readonly policy: PreflightPolicy;
  /** A property of the dock. One that the rule's row does not name is never there. */
  readonly reading: (property: string) => Reading;
}

export interface Judged {
  readonly kind: 'judged';
  readonly go: boolean;
  readonly input: Shown;
  readonly limit: Shown;
  readonly margin: number | null;
  /** What was found. */
  readonly says: string;
  /** What to change; shown with a no-go only. */
  readonly remedy: string;
}

/** There is nothing to judge. What that means is not the judge's business. */
export interface Missing {
  readonly kind: 'missing';
  readonly limit: Shown;
  readonly says: string;
}

export type Judgement = Judged | Missing;

export type WhenMissing = (look: Look) => 'pass' | 'fail';

interface Row {
  readonly unit: Unit | null;
  /** The properties of the dock that it looks at. */
  readonly reads: readonly string[];
  readonly judge: (look: Look) => Judgement;
}

/** What a missing input of a tunable rule means is in the policy. */
export type Rule<N extends RuleName> = N extends HardRuleName
  ? Row & { readonly hard: true; readonly whenMissing: WhenMissing }
  : Row & { readonly hard: false };

type Verdict = Pick<Judged, 'go' | 'input' | 'limit' | 'margin'>;

export const judged = (verdict: Verdict, says: string, remedy: string): Judged => ({
  kind: 'judged',
  ...verdict,
  says,
  remedy,
});

export const missing = (limit: Shown, says: string): Missing => ({ kind: 'missing', limit, says });

export const atMost = (input: number, limit: number): Verdict => {
  return { go: input <= limit, input, limit, margin: limit - input };
};

export const atLeast = (input: number, limit: number): Verdict => {
  return { go: input >= limit, input, limit, margin: input - limit };
};

/** For what has no more and no less. */
export const exactly = (input: string | boolean, limit: string | boolean): Verdict => {
  return { go: input === limit, input, limit, margin: null };
};
