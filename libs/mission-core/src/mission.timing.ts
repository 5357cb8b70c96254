import type { Mission, Timing } from './mission.types.js';

/** How long before its time a start is told. A dock that is not told the time takes off at once. */
export function leadMs({ delivery }: Mission, timing: Timing): number {
  return delivery === 'create' ? 0 : timing.executeLeadMs;
}

/** One and a half times the plan: wind, detours and landing again take time. */
const DURATION_FACTOR = 1.5;

/** Until when a flight may take before nobody believes that its end will still be told. */
export function flightEndsByMs(mission: Mission, timing: Timing): number {
  const { startedAtMs, sinceMs, state, plannedDurationMs, pausedMs } = mission;
  const startMs = startedAtMs ?? sinceMs;
  const longestMs = startMs + timing.maxDurationMs;
  // A pause lasts as long as the operator wants; only the hard limit ends it.
  if (state === 'paused') return longestMs;
  return Math.min(longestMs, startMs + plannedDurationMs * DURATION_FACTOR + timing.durationSlackMs + pausedMs);
}

/**
 * Whether looks have proven that a flight is over: it was seen in the air before, or it had all the time that a start
 * takes; and for a minute each look showed its dock at rest, without a gap in which it could have done something else.
 */
export function isSeenOver(mission: Mission, inSightSinceMs: number, nowMs: number, timing: Timing): boolean {
  const { restingSinceMs, flownAtMs, startedAtMs, sinceMs, deadlineMs } = mission;
  if (restingSinceMs === null || nowMs - Math.max(restingSinceMs, inSightSinceMs) < timing.restingForMs) return false;
  const startedMs = startedAtMs ?? sinceMs;
  // A claim comes at most so long before its deadline; a dock that began by itself did not wait for ours.
  const toDeadlineMs = Math.min((deadlineMs ?? startedMs) - startedMs, timing.executeLeadMs + timing.startWindowMs);
  const latestStartMs = startedMs + Math.max(0, toDeadlineMs) + timing.startGraceMs + timing.powerOnMs;
  return flownAtMs !== null || nowMs >= latestStartMs;
}

/** What a dock is busy with before and after the flight itself: power on, cover, home point; landing and after-work. */
const BEFORE_FLIGHT_MS = 60_000;
const AFTER_FLIGHT_MS = 5 * 60_000;
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * When the dock is taken by a mission, with margins: an immediate one may start until its deadline. Null for a conditional
 * one: its window may be hours long, and the dock is asked for once it says that it is ready.
 */
export function occupiedSpan(mission: Mission, nowMs: number, timing: Timing): Span | null {
  if (mission.kind === 'conditional') return null;
  if (mission.executeAtMs !== null) {
    const { beforeMs, afterMs } = marginsOf(mission, timing);
    return { fromMs: mission.executeAtMs - beforeMs, untilMs: mission.executeAtMs + afterMs };
  }
  return { fromMs: nowMs, untilMs: (mission.deadlineMs ?? nowMs) + flightMs(mission) };
}

const flightMs = ({ plannedDurationMs }: Pick<Mission, 'plannedDurationMs'>): number =>
  BEFORE_FLIGHT_MS + plannedDurationMs + AFTER_FLIGHT_MS;

/** How long before and after its `executeAt` a timed mission takes the dock. */
function marginsOf(
  mission: Pick<Mission, 'plannedDurationMs'>,
  timing: Timing,
): { readonly beforeMs: number; readonly afterMs: number } {
  return { beforeMs: timing.executeLeadMs + BEFORE_FLIGHT_MS, afterMs: timing.startWindowMs + flightMs(mission) };
}

/**
 * The earliest `executeAt`, not before the given instant, at which the dock is free for this mission with all its margins.
 * `taken`: the spans of others, soonest first.
 */
export function earliestExecuteAtMs(
  mission: Pick<Mission, 'plannedDurationMs'>,
  taken: readonly Span[],
  notBeforeMs: number,
  timing: Timing,
): number {
  const { beforeMs, afterMs } = marginsOf(mission, timing);
  let atMs = notBeforeMs;
  for (const { fromMs, untilMs } of taken) {
    // Spans that only touch leave each other alone.
    if (atMs - beforeMs < untilMs && fromMs < atMs + afterMs) atMs = untilMs + beforeMs;
  }
  return atMs;
}

/** Whether the dock accepted the execute of a mission that starts. From then on there must not be a second one. */
export function isAcceptedByDock({ state, heardAtMs, startedAtMs }: Mission): boolean {
  return state === 'starting' && heardAtMs !== null && startedAtMs !== null && heardAtMs > startedAtMs;
}
