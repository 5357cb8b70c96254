import type { Phase } from './flight-plan.js';
import type { Place } from './geo.js';

export type FlightStatus = 'sent' | 'in_progress' | 'paused' | 'ok' | 'failed' | 'canceled';

export interface BreakPoint {
  readonly waylineId: number;
  readonly index: number;
  /** True at a waypoint, false on the way to the next. */
  readonly atWaypoint: boolean;
  readonly progress: number;
  readonly reason: number;
  readonly place: Place;
  readonly headingDegrees: number;
}

export interface FlightReport {
  readonly flightId: string;
  readonly trackId: string;
  readonly status: FlightStatus;
  readonly result: number;
  readonly phase: Phase;
  readonly step: number;
  readonly percent: number;
  readonly waypointIndex: number;
  /** Undefined until the aircraft is on its way. */
  readonly waylineId: number | undefined;
  readonly missionState: number;
  readonly mediaCount: number;
  readonly breakPoint: BreakPoint | undefined;
  readonly place: Place;
  readonly headingDegrees: number;
  readonly horizontalSpeed: number;
  readonly verticalSpeed: number;
  readonly aircraftMode: number;
  readonly aircraftPowered: boolean;
  readonly coverOpen: boolean;
  readonly airborne: boolean;
  readonly batteryPercent: number;
}

/** [seen on real docks] the percentage of a job stays here from take-off to landing. */
const FLYING_PERCENT = 90;
const RECOVERING_PERCENT = 95;
const PREPARED_PERCENT = 15;

/** `progress.percent`. `prepared` is the part of the preparation that is done, 0 to 1. */
export function percentOf(status: FlightStatus, phase: Phase, everAirborne: boolean, prepared: number): number {
  if (phase === 'ended' && status === 'ok') return 100;
  if (phase === 'ended' || phase === 'recovering') return everAirborne ? RECOVERING_PERCENT : PREPARED_PERCENT;
  if (phase !== 'preparing') return FLYING_PERCENT;
  return status === 'sent' ? 0 : Math.floor(PREPARED_PERCENT * prepared);
}

/** `wayline_mission_state`: 2 ready, 4 started, 5 entering, 6 executing, 9 the route has stopped. */
export function missionStateOf(status: FlightStatus, phase: Phase): number {
  if (status === 'paused') return 2;
  switch (phase) {
    case 'preparing':
      return 2;
    case 'takingOff':
      return 4;
    case 'transit':
      return 5;
    case 'route':
      return 6;
    case 'hovering':
    case 'returning':
    case 'landing':
      return 9;
    case 'recovering':
    case 'ended':
      return 0;
  }
}

/** The aircraft's own `mode_code`: 3 is manual, which is how an aircraft that hovers on demand shows. */
export function aircraftModeOf(phase: Phase, powered: boolean, hovering: boolean, byHand: boolean): number {
  if (!powered) return 14;
  if (byHand && phase === 'landing') return 3;
  switch (phase) {
    case 'takingOff':
      return 4;
    case 'transit':
    case 'route':
      return hovering ? 3 : 5;
    case 'hovering':
      return 3;
    case 'returning':
      return 9;
    case 'landing':
      return 10;
    case 'preparing':
    case 'recovering':
    case 'ended':
      return 0;
  }
}
