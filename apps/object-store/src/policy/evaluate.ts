import type { Condition, Statement } from './policy-document.js';
import { matchesWildcard } from './wildcard.js';

/** What somebody wants to do, and all that a condition may ask about it. */
export interface AccessRequest {
  /** E.g. `s3:PutObject`. */
  readonly action: string;
  /** E.g. `arn:aws:s3:::bucket/key`. */
  readonly resource: string;
  readonly nowMs: number;
  readonly secureTransport: boolean;
  /** When the credentials were given out; undefined for those that never end. */
  readonly tokenIssuedAtMs?: number;
  /** Of a list. One that is not given is the empty one: it lists everything. */
  readonly prefix?: string;
}

export type Verdict = 'allowed' | 'denied' | 'not allowed';

/** One policy: an explicit deny wins, and what nobody allows is not allowed. */
export function evaluate(policy: readonly Statement[], request: AccessRequest): Verdict {
  const effects = policy.filter((statement) => applies(statement, request)).map(({ effect }) => effect);
  if (effects.includes('Deny')) return 'denied';
  return effects.includes('Allow') ? 'allowed' : 'not allowed';
}

/** Several policies that all must allow: the least of them counts. */
export const permits = (policies: readonly (readonly Statement[])[], request: AccessRequest): boolean =>
  policies.length > 0 && policies.every((policy) => evaluate(policy, request) === 'allowed');

function applies({ actions, resources, conditions }: Statement, request: AccessRequest): boolean {
  const action = request.action.toLowerCase();
  return (
    actions.some((pattern) => matchesWildcard(pattern, action)) &&
    resources.some((pattern) => matchesWildcard(pattern, request.resource)) &&
    conditions.every((condition) => holds(condition, request))
  );
}

/** A condition about something that the request does not have does not hold. [IAM, condition operators] */
function holds(condition: Condition, request: AccessRequest): boolean {
  switch (condition.kind) {
    case 'prefix': {
      const { prefix } = request;
      if (prefix === undefined) return false;
      return condition.values.some((value) =>
        condition.wildcards ? matchesWildcard(value, prefix) : value === prefix,
      );
    }
    case 'time': {
      const time = condition.of === 'current' ? request.nowMs : request.tokenIssuedAtMs;
      if (time === undefined) return false;
      return condition.ms.some((ms) => (condition.must === 'before' ? time < ms : time > ms));
    }
    case 'secure':
      return condition.value === request.secureTransport;
  }
}
