import { askedForApproval } from './mission.approval.js';
import type { Delivery, Mission, MissionKind, Timing } from './mission.types.js';

/** The protocol: a timed task may be delivered to the dock 24 h before its time at most. */
const EARLIEST_PREPARE_MS = 24 * 60 * 60_000;
/** A person who asks for "now" does not expect a start after this time. The settings cannot exceed it. */
const LONGEST_START_WITHIN_MS = 5 * 60_000;

export interface Plan {
  readonly kind: MissionKind;
  /** Default: `prepare`. */
  readonly delivery?: Delivery;
  /** Of the wayline. */
  readonly plannedDurationMs: number;
  /** Timed missions only. */
  readonly executeAtMs?: number;
  /** Conditional missions only: their window, both ends exclusive. */
  readonly readyFromMs?: number;
  readonly readyUntilMs?: number;
  /** Null: it needs no approval. */
  readonly approval: ApprovalWish | null;
}

/** What the policy asks of a plan that needs the approval of another person. */
export interface ApprovalWish {
  /** Null: the request waits until the mission can start no more. */
  readonly lifetimeMs: number | null;
}

/** A mission as it begins. */
export function planMission(plan: Plan, nowMs: number, timing: Timing): Mission {
  const executeAtMs = plan.executeAtMs ?? null;
  const prepareAtMs = prepareAt(executeAtMs ?? plan.readyFromMs ?? null, nowMs, timing);
  const deadlineMs = deadlineOf(plan, nowMs, timing);
  const readyUntilMs = plan.readyUntilMs ?? null;
  const approval = plan.approval && askedForApproval(plan.approval.lifetimeMs, { deadlineMs, readyUntilMs }, nowMs);
  return {
    kind: plan.kind,
    delivery: plan.delivery ?? 'prepare',
    state: approval === null ? 'scheduled' : 'awaiting_approval',
    revision: 1,
    edition: 1,
    executeAtMs,
    prepareAtMs,
    deadlineMs,
    readyFromMs: plan.readyFromMs ?? null,
    readyUntilMs,
    plannedDurationMs: plan.plannedDurationMs,
    prepareCount: 0,
    attempt: 0,
    undoCount: 0,
    sinceMs: nowMs,
    startedAtMs: null,
    pausedMs: 0,
    heardAtMs: null,
    flownAtMs: null,
    restingSinceMs: null,
    nextActionAtMs: approval === null ? prepareAtMs : approval.untilMs,
    cause: null,
    approval,
  };
}

/** What changes when a timed mission is moved to another time. */
export function planAnew(
  executeAtMs: number,
  nowMs: number,
  timing: Timing,
): { executeAtMs: number; prepareAtMs: number; deadlineMs: number } {
  return {
    executeAtMs,
    prepareAtMs: prepareAt(executeAtMs, nowMs, timing),
    deadlineMs: executeAtMs + timing.startWindowMs,
  };
}

/** Every kind has its deadline from the first transaction; only a conditional mission without a window has none. */
function deadlineOf({ kind, executeAtMs, readyUntilMs }: Plan, nowMs: number, timing: Timing): number | null {
  if (executeAtMs !== undefined) return executeAtMs + timing.startWindowMs;
  if (kind === 'conditional') return readyUntilMs ?? null;
  return nowMs + Math.min(timing.startWithinMs, LONGEST_START_WITHIN_MS);
}

function prepareAt(startMs: number | null, nowMs: number, timing: Timing): number {
  const leadMs = Math.min(timing.prepareLeadMs, EARLIEST_PREPARE_MS);
  return startMs === null ? nowMs : Math.max(nowMs, startMs - leadMs);
}
