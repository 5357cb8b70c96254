import type { DockRecord, DockStateView } from '@aerie/bus-contract';
import {
  type CauseCode,
  type EventOf,
  type MissionEvent,
  type PreflightPolicy,
  causeOf,
  decide,
  failedRules,
} from '@aerie/mission-core';
import type { Evidence } from '../advance-mission.js';
import { namesOther } from '../dji/named-flight.js';
import { getsReadyForThis } from './gets-ready-for-this.js';
import { type Surroundings, judgeDock } from '../preflight/judge-dock.js';
import type { WayToRoute } from '../preflight/way-to-route.js';
import type { ClaimGuard } from '../store/flight-critical.js';
import type { HeldAgain } from '../store/hold-again.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';

export interface GuardInput {
  readonly guard: ClaimGuard | undefined;
  readonly view: DockStateView | undefined;
  /** Null: the dock is no longer in service. Undefined: nobody could say anything. */
  readonly record: DockRecord | null | undefined;
  readonly policy: PreflightPolicy;
  readonly way: WayToRoute | null;
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
  if (input.guard?.restored === true) return held('restored');
  // The core refuses it too; this is what the database says at the claim.
  if (input.guard?.unapproved === true) return held('approval_missing');
  if (input.record === null) return held('dock_retired');
  if (locked.prepared_fingerprint !== locked.md5) return held('file_unavailable');
  if (result.verdict === 'no_go') return held(causeOf(result));
  const { guard } = input;
  // Without the guards nobody knows what else the dock does.
  if (guard === undefined || guard.other_flight !== null || guard.held_by !== null) return held('dock_busy');
  // A dock may name a flight that was not planned here before its telemetry shows it.
  if (namesOther(locked, sinceTelemetry(locked, input.view))) return held('dock_busy');
  return { event: { type: 'executeDue' }, evidence };
}

/** When the dock last told what it does: a flight that it named before that has no say. Null: it did not tell. */
function sinceTelemetry({ now }: LockedMission, view: DockStateView | undefined): number | null {
  const mode = view?.properties['mode_code'];
  return mode === undefined ? null : now.getTime() - mode.agoMs;
}

/** Whether it would start, did its dock not export logs. An export is not ended for a mission that cannot fly anyway. */
export function isHeldByExportAlone(locked: LockedMission, input: GuardInput): boolean {
  if (input.guard?.exports_logs !== true) return false;
  const without = { ...input, guard: { ...input.guard, exports_logs: false } };
  return guardExecute(locked, without).event.type === 'executeDue';
}

/**
 * The same look as the dock is told of the mission. It holds nothing back: until the start a dock can become ready. That
 * nobody heard the dock lately is said at once; when nobody can say it, it says nothing.
 */
export function lookAhead(
  locked: LockedMission,
  event: EventOf<'prepareDue' | 'prepareOverdue'>,
  input: GuardInput,
): Guarded {
  const result = judgeDock('prepare', locked, surroundingsOf(locked, input), input.policy);
  const because = result.verdict === 'no_go' ? causeOf(result) : null;
  const dockIsAway = input.view !== undefined && because === 'dock_offline';
  const dockIsCutOff = because === 'dock_cut_off';
  return {
    event: withRetirement(
      { ...event, ...(dockIsAway ? { dockIsAway } : {}), ...(dockIsCutOff ? { dockIsCutOff } : {}) },
      input,
    ),
    evidence: { preflight: { stage: 'prepare', result } },
  };
}

/** What time has ended for a dock that is no longer in service has ended because of that. */
export const withRetirement = <
  Event extends EventOf<'prepareDue' | 'prepareOverdue' | 'prepareGivenUp' | 'windowClosed'>,
>(
  event: Event,
  { record }: Pick<GuardInput, 'record'>,
): Event => (record === null ? { ...event, dockIsRetired: true } : event);

function surroundingsOf(locked: LockedMission, input: GuardInput): Surroundings {
  const { guard, view, record, way } = input;
  return {
    view,
    record: record ?? undefined,
    heardAgoMs: locked.dock_heard_at === null ? null : locked.now.getTime() - locked.dock_heard_at.getTime(),
    blockedBy: guard?.unresolved ?? null,
    exportsLogs: guard?.exports_logs ?? false,
    cutOff: guard?.cut_off ?? false,
    getsReadyForThis: getsReadyForThis(locked, input),
    way,
  };
}

/** Whether a mission is held back for the reason for which it was held back the last time. */
export function isHeldAsBefore(locked: LockedMission, { event, evidence }: Guarded): boolean {
  if (event.type !== 'executeHeld' || locked.cause_code !== event.because) return false;
  const before = locked.verdicts.execute;
  const now = evidence.preflight?.result;
  if (before === undefined || now === undefined || before.verdict !== now.verdict) return false;
  return JSON.stringify(before.failed) === JSON.stringify(failedRules(now));
}

/** What is written when it is held back so: when to look again, and how often it was held until now. */
export function heldAgain(locked: LockedMission, { event, evidence }: Guarded): HeldAgain | null {
  const before = locked.verdicts.execute;
  const decision = decide(missionOf(locked), event, locked.now.getTime(), timingOf(locked));
  if (before === undefined || decision.kind === 'refused' || decision.mission.nextActionAtMs === null) return null;
  const at = locked.now;
  const { preflight } = evidence;
  return {
    missionId: locked.id,
    nextActionAt: new Date(decision.mission.nextActionAtMs),
    verdicts: { execute: { ...before, times: (before.times ?? 1) + 1, lastAt: at.toISOString() } },
    judged: preflight === undefined ? null : { missionId: locked.id, ...preflight, at },
  };
}
