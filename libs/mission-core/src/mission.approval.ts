import { type Approval, CLAIM_MARGIN_MS, type Mission } from './mission.types.js';

/** Of a request that nothing else ends. */
const LONGEST_REQUEST_MS = 30 * 24 * 60 * 60_000;

/** Whether a dock may be told of the plan as it is now. */
export const isApproved = ({ approval, edition }: Pick<Mission, 'approval' | 'edition'>): boolean =>
  approval === null || approval.givenEdition === edition;

/** After this instant the mission can start no more. Null: a conditional mission without a window. */
const startEndsMs = ({ deadlineMs, readyUntilMs }: Pick<Mission, 'deadlineMs' | 'readyUntilMs'>): number | null =>
  deadlineMs ?? readyUntilMs;

/** A new request for approval, of a plan that was just made or changed. */
export function askedForApproval(
  lifetimeMs: number | null,
  plan: Pick<Mission, 'deadlineMs' | 'readyUntilMs'>,
  nowMs: number,
): Approval {
  const expiresMs = lifetimeMs === null ? null : nowMs + lifetimeMs;
  const endMs = startEndsMs(plan);
  const untilMs =
    endMs === null || expiresMs === null
      ? (endMs ?? expiresMs ?? nowMs + LONGEST_REQUEST_MS)
      : Math.min(endMs, expiresMs);
  return { lifetimeMs, untilMs, givenEdition: null };
}

/** Nothing would start by it any more: the request has expired, or too little of the start window is left. */
export function isTooLateToApprove(mission: Mission, nowMs: number): boolean {
  const endMs = startEndsMs(mission);
  if (endMs !== null && nowMs >= endMs - CLAIM_MARGIN_MS) return true;
  return mission.approval === null || nowMs >= mission.approval.untilMs;
}
