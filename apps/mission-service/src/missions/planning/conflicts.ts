import { ConflictError } from '@aerie/kernel';
import { type Timing, earliestExecuteAtMs } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { type Holder, findTaken } from '../store/dock-reservations.js';

/** Who has the dock at the time that was asked for. */
export interface ConflictView {
  readonly kind: 'mission' | 'log_upload';
  readonly id: string;
  readonly name: string | null;
  readonly state: string | null;
  /** The dock is taken from then on, with the time it takes to get ready. */
  readonly from: string;
  readonly until: string;
}

export const conflictOf = (holder: Holder): ConflictView => ({
  kind: holder.holder_kind,
  id: holder.holder_id,
  name: holder.name,
  state: holder.state,
  from: holder.from_at.toISOString(),
  until: holder.until_at.toISOString(),
});

export interface Wish {
  /** The mission that is moved; null for a new one. */
  readonly missionId: string | null;
  readonly dockSn: string;
  readonly plannedDurationMs: number;
  /** The time that was asked for; null: at once. */
  readonly executeAtMs: number | null;
  readonly timing: Timing;
}

/**
 * The earliest time, not before the one that was asked for, at which this very mission would be accepted as a timed one;
 * null when nobody can say. Another one may take it first.
 */
export async function earliestExecuteAt(
  tx: { query: Tx['query'] },
  { missionId, dockSn, plannedDurationMs, executeAtMs, timing }: Wish,
  nowMs: number,
): Promise<Date | null> {
  const fromMs = executeAtMs ?? nowMs;
  // Whatever ended longer ago than the lead and its margin takes no time of this mission.
  const taken = await findTaken(tx, dockSn, fromMs - LONGEST_LEAD_MS, missionId);
  return taken === null ? null : new Date(earliestExecuteAtMs({ plannedDurationMs }, taken, fromMs, timing));
}

const LONGEST_LEAD_MS = 60 * 60_000;

/** A dock flies one mission at a time: names the other one, and from when on this mission could fly. */
export function dockTaken(
  holders: readonly Holder[],
  field: 'executeAt' | 'dockSn',
  earliest: Date | null,
): ConflictError {
  const conflicts = holders.map(conflictOf);
  const first = conflicts[0];
  const whose = first?.kind === 'log_upload' ? `log upload ${first.id}` : `mission ${first?.id ?? ''}`;
  const message =
    `the dock is taken by ${whose} from ${first?.from ?? ''} until ${first?.until ?? ''}; ` +
    (earliest === null ? '' : `a timed mission with executeAt ${earliest.toISOString()} has room; choose that, or `) +
    `cancel ${first?.kind === 'log_upload' ? 'the upload' : 'that mission'}`;
  const details = { conflicts, earliestExecuteAt: earliest?.toISOString() ?? null };
  return new ConflictError('dock_taken', message, { fields: [{ field, message }], details });
}
