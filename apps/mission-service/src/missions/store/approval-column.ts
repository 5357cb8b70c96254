// What a mission that needs an approval says of it, as it lies in its row.
import type { Approval, Mission, MissionEvent } from '@aerie/mission-core';

export interface StoredApproval extends Approval {
  /** Who changed the plan last, and may not approve it either; null: nobody since it was planned. */
  readonly changedBy: string | null;
  /** Who approved or refused the plan as it is; null: nobody yet. */
  readonly decidedBy: string | null;
  readonly decidedAtMs: number | null;
  readonly reason: string | null;
}

const UNDECIDED = { decidedBy: null, decidedAtMs: null, reason: null } as const;

/** Of a new mission. */
export const approvalColumn = (approval: Approval | null): StoredApproval | null =>
  approval && { ...approval, changedBy: null, ...UNDECIDED };

/** The part that the pure core decides on. */
export const approvalOf = (stored: StoredApproval | null): Approval | null =>
  stored && { lifetimeMs: stored.lifetimeMs, untilMs: stored.untilMs, givenEdition: stored.givenEdition };

/** The column after an event; null: it stays as it is. */
export function changedApproval(
  stored: StoredApproval | null,
  { approval }: Mission,
  { type }: MissionEvent,
  wish: { readonly by: string; readonly reason: string | null } | undefined,
  nowMs: number,
): StoredApproval | null {
  if (stored === null || approval === null) return null;
  const by = wish?.by ?? null;
  switch (type) {
    case 'approvalGiven':
    case 'approvalRefused':
      return { ...stored, ...approval, decidedBy: by, decidedAtMs: nowMs, reason: wish?.reason ?? null };
    case 'rescheduled':
      return { ...stored, ...approval, ...UNDECIDED, changedBy: by };
    default:
      return null;
  }
}
