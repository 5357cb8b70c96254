import type { DockStateView } from '@aerie/bus-contract';
import { type CauseCode, type MissionEvent, type PreflightPolicy, type Stage, causeOf } from '@aerie/mission-core';
import type { Evidence } from '../advance-mission.js';
import { type Surroundings, judgeDock } from '../preflight/judge-dock.js';
import type { ClaimGuard } from '../store/flight-critical.js';
import type { LockedMission } from '../store/mission.row.js';

export interface GuardInput {
  readonly guard: ClaimGuard | undefined;
  readonly view: DockStateView | undefined;
  readonly policy: PreflightPolicy;
}

export interface Guarded {
  readonly event: MissionEvent;
  readonly evidence: Evidence;
}

/**
 * The conditions of a claim, looked at with the dock and the mission locked. In doubt, no take-off: the mission is held
 * back and looked at again, while its window lasts.
 */
export function guardExecute(locked: LockedMission, input: GuardInput): Guarded {
  const result = judgeDock('execute', locked, surroundingsOf(locked, input), input.policy);
  const evidence: Evidence = { preflight: { stage: 'execute', result } };
  const held = (because: CauseCode): Guarded => ({ event: { type: 'executeHeld', because }, evidence });
  if (locked.prepared_fingerprint !== locked.md5) return held('file_unavailable');
  if (result.verdict === 'no_go') return held(causeOf(result));
  const { guard } = input;
  // Without the guards nobody knows what else the dock does.
  if (guard === undefined || guard.other_flight !== null || guard.held_by !== null) return held('dock_busy');
  return { event: { type: 'executeDue' }, evidence };
}

/** Whether it would start, did its dock not export logs. An export is not ended for a mission that cannot fly anyway. */
export function isHeldByExportAlone(locked: LockedMission, input: GuardInput): boolean {
  if (input.guard?.exports_logs !== true) return false;
  const without = { ...input, guard: { ...input.guard, exports_logs: false } };
  return guardExecute(locked, without).event.type === 'executeDue';
}

/** The same look as the dock is told of the mission. It holds nothing back: until the start a dock can become ready. */
export function lookAhead(stage: Stage, locked: LockedMission, input: GuardInput): Evidence {
  return { preflight: { stage, result: judgeDock(stage, locked, surroundingsOf(locked, input), input.policy) } };
}

function surroundingsOf(locked: LockedMission, { guard, view }: GuardInput): Surroundings {
  return {
    view,
    heardAgoMs: locked.dock_heard_at === null ? null : locked.now.getTime() - locked.dock_heard_at.getTime(),
    blockedBy: guard?.unresolved ?? null,
    exportsLogs: guard?.exports_logs ?? false,
  };
}
