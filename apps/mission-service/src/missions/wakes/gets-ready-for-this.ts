import type { DockStateView } from '@aerie/bus-contract';
import type { ClaimGuard } from '../store/flight-critical.js';
import type { LockedMission } from '../store/mission.row.js';

/** A value that is older says nothing about now. Docks send telemetry every two seconds. */
const FRESH_MS = 15_000;
/** [Cloud API, dock properties] `mode_code` 4: working. */
const MODE_WORKING = 4;
/** `flighttask_step_code` 0: preparing a flight; 5: idle. */
const STEPS_BEFORE_FLIGHT: readonly unknown[] = [0, 5];

export interface DockThatGetsReady {
  readonly view: DockStateView | undefined;
  readonly guard: ClaimGuard | undefined;
}

/**
 * Whether a dock that works is getting ready for this mission: some open their cover when they accept a prepare. Its
 * telemetry names no flight, so everything else must be excluded: it was idle when it was told of this mission and became
 * busy after it had accepted it, its aircraft is inside and does not fly, and it can mean no other flight.
 */
export function getsReadyForThis(locked: LockedMission, { view, guard }: DockThatGetsReady): boolean {
  if (locked.delivery !== 'prepare' || view === undefined || guard === undefined || guard.other_told) return false;
  const valueOf = (name: string): unknown => {
    const property = view.properties[name];
    return property !== undefined && property.agoMs <= FRESH_MS ? property.value : undefined;
  };
  if (valueOf('mode_code') !== MODE_WORKING || valueOf('drone_in_dock') !== 1) return false;
  return STEPS_BEFORE_FLIGHT.includes(valueOf('flighttask_step_code')) && becameBusyByIt(locked, view, guard);
}

function becameBusyByIt(
  { id, now, dock_flight_id, dock_flight_at }: LockedMission,
  { idleAgoMs, busyForMs }: DockStateView,
  { prepared_from_ms: toldMs, prepared_at_ms: acceptedMs }: ClaimGuard,
): boolean {
  if (idleAgoMs == null || busyForMs == null || toldMs === null || acceptedMs === null) return false;
  const wasIdle = now.getTime() - idleAgoMs >= toldMs - FRESH_MS;
  const busyAfter = now.getTime() - busyForMs > acceptedMs;
  const namedOther = dock_flight_id !== null && dock_flight_id !== id && dock_flight_at !== null;
  return wasIdle && busyAfter && !(namedOther && dock_flight_at.getTime() >= toldMs);
}
