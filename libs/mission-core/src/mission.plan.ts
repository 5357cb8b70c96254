import type { Mission, MissionKind, Timing } from './mission.types.js';

/** The protocol: a timed task may be delivered to the dock 24 h before its time at most. */
const EARLIEST_PREPARE_MS = 24 * 60 * 60_000;

export interface Plan {
  readonly kind: MissionKind;
  /** Timed missions only. */
  readonly executeAtMs?: number;
  /** Conditional missions only: end of their window. */
  readonly readyUntilMs?: number;
}

/** A mission as it begins. */
export function planMission(plan: Plan, nowMs: number, timing: Timing): Mission {
  const executeAtMs = plan.executeAtMs ?? null;
  const leadMs = Math.min(timing.prepareLeadMs, EARLIEST_PREPARE_MS);
  const prepareAtMs = executeAtMs === null ? nowMs : Math.max(nowMs, executeAtMs - leadMs);
  return {
    kind: plan.kind,
    state: 'scheduled',
    revision: 1,
    executeAtMs,
    prepareAtMs,
    deadlineMs: executeAtMs === null ? null : executeAtMs + timing.startWindowMs,
    readyUntilMs: plan.readyUntilMs ?? null,
    prepareCount: 0,
    attempt: 0,
    undoCount: 0,
    sinceMs: nowMs,
    startedAtMs: null,
    heardAtMs: null,
    nextActionAtMs: prepareAtMs,
    cause: null,
  };
}
