import { between, distanceMeters, type Place } from './geo.js';
import type { Route, Waypoint } from './route.js';
import type { StepTable } from './steps.js';

export interface Home {
  readonly latitude: number;
  readonly longitude: number;
  /** Above the ellipsoid. */
  readonly heightMeters: number;
}

/** Where an earlier flight stopped, as `flighttask_prepare` hands it back. */
export interface ResumePoint {
  readonly waylineId: number;
  readonly index: number;
  /** Part of the segment after `index` already flown, 0 to 1. */
  readonly progress: number;
}

export interface FlightPlan {
  readonly flightId: string;
  readonly trackId: string;
  readonly home: Home;
  readonly route: Route;
  readonly steps: StepTable;
  readonly returnHeightMeters: number;
  readonly batteryPercent: number;
  readonly resumeAt?: ResumePoint;
  /** The flight ends with this code instead of well. */
  readonly failsWith?: number;
  /** So long the home point cannot be set before take-off, because RTK does not converge. */
  readonly slowRtkMs?: number;
}

export type Phase =
  'preparing' | 'takingOff' | 'transit' | 'route' | 'hovering' | 'returning' | 'landing' | 'recovering' | 'ended';

/** A piece of a flight that takes a known time at one step number. */
export interface Leg {
  readonly phase: Phase;
  readonly step: number;
  readonly durationMs: number;
  readonly from: Place;
  readonly to: Place;
  readonly aircraftPowered: boolean;
  readonly coverOpen: boolean;
  /** Position in the list of waypoints of the one flown to or worked at. */
  readonly waypoint?: number;
  readonly photos?: number;
  /** Nothing but RTK is waited for. */
  readonly waitsForRtk?: boolean;
}

const CLIMB_METERS_PER_SECOND = 4;
const DESCENT_METERS_PER_SECOND = 2.5;
const RETURN_METERS_PER_SECOND = 12;
const SECONDS_PER_PHOTO = 2;

export function padOf(home: Home): Place {
  return { latitude: home.latitude, longitude: home.longitude, elevationMeters: 0 };
}

/** From the command to the last waypoint. */
export function outwardLegs(plan: FlightPlan): Leg[] {
  const pad = padOf(plan.home);
  const lid = { aircraftPowered: true, coverOpen: true };
  const legs: Leg[] = plan.steps.before.map((step) => ({
    phase: 'preparing',
    step: step.number,
    durationMs: step.seconds * 1_000,
    from: pad,
    to: pad,
    aircraftPowered: step.aircraftPowered,
    coverOpen: step.coverOpen,
  }));
  if (plan.slowRtkMs !== undefined) {
    // Between the last step of the preparation and the trigger, under the number of the home point.
    const setting = legs.at(-2);
    if (setting) legs.splice(-1, 0, { ...setting, durationMs: plan.slowRtkMs, waitsForRtk: true });
  }
  const step = plan.steps.executing;
  const above = { ...pad, elevationMeters: plan.route.takeOffSecurityHeightMeters };
  legs.push({ phase: 'takingOff', step, ...moving(pad, above, CLIMB_METERS_PER_SECOND), ...lid });

  const { first, start } = startOf(plan);
  legs.push({
    phase: 'transit',
    step,
    ...moving(above, start, plan.route.transitSpeedMetersPerSecond),
    ...lid,
    waypoint: first,
  });
  let at = start;
  plan.route.waypoints.slice(first).forEach((waypoint, passed) => {
    const place = placeOf(waypoint, plan);
    const target = { step, waypoint: first + passed, ...lid };
    // The transit leg already ends at the first waypoint of a whole flight.
    if (distanceMeters(at, place) > 0) {
      legs.push({ phase: 'route', ...moving(at, place, waypoint.speedMetersPerSecond), ...target });
    }
    const workMs = (waypoint.photos * SECONDS_PER_PHOTO + waypoint.hoverSeconds) * 1_000;
    legs.push({ phase: 'route', durationMs: workMs, from: place, to: place, photos: waypoint.photos, ...target });
    at = place;
  });
  return legs;
}

/** How long a flight takes that nothing disturbs. */
export function durationMs(plan: FlightPlan): number {
  const outward = outwardLegs(plan);
  const legs = [...outward, ...homewardLegs(plan, outward.at(-1)?.to ?? padOf(plan.home))];
  return legs.reduce((sum, leg) => sum + leg.durationMs, 0);
}

/** Straight down from where it is, to be carried into its dock from there. */
export function descentLegs(plan: FlightPlan, from: Place): Leg[] {
  const ground = { ...from, elevationMeters: 0 };
  const down = moving(from, ground, DESCENT_METERS_PER_SECOND);
  const afterwards = homewardLegs(plan, from).filter(({ phase }) => phase === 'recovering');
  return [
    { phase: 'landing', step: plan.steps.landing, ...down, aircraftPowered: true, coverOpen: true },
    ...afterwards,
  ];
}

/** From anywhere in the air to the closed cover. */
export function homewardLegs(plan: FlightPlan, from: Place): Leg[] {
  const pad = padOf(plan.home);
  const lid = { aircraftPowered: true, coverOpen: true };
  const climbed = { ...from, elevationMeters: Math.max(from.elevationMeters, plan.returnHeightMeters) };
  const above = { ...pad, elevationMeters: climbed.elevationMeters };
  return [
    { phase: 'returning', step: plan.steps.returning, ...moving(from, climbed, CLIMB_METERS_PER_SECOND), ...lid },
    { phase: 'returning', step: plan.steps.returning, ...moving(climbed, above, RETURN_METERS_PER_SECOND), ...lid },
    { phase: 'landing', step: plan.steps.landing, ...moving(above, pad, DESCENT_METERS_PER_SECOND), ...lid },
    ...plan.steps.after.map((step): Leg => ({
      phase: 'recovering',
      step: step.number,
      durationMs: step.seconds * 1_000,
      from: pad,
      to: pad,
      aircraftPowered: step.aircraftPowered,
      coverOpen: step.coverOpen,
    })),
  ];
}

/** Whether this place to resume lies on the route. */
export function canResumeAt(route: Route, point: ResumePoint): boolean {
  if (!(point.progress >= 0 && point.progress <= 1)) return false;
  return route.waypoints.some(({ waylineId, index }) => waylineId === point.waylineId && index === point.index);
}

function startOf(plan: FlightPlan): { first: number; start: Place } {
  const { waypoints } = plan.route;
  const resumed = plan.resumeAt;
  const found = waypoints.findIndex(
    ({ waylineId, index }) => waylineId === resumed?.waylineId && index === resumed?.index,
  );
  const position = Math.max(found, 0);
  const here = waypoints[position];
  if (!here) throw new Error('a route without waypoints cannot be flown');
  const next = waypoints[position + 1];
  if (!resumed || resumed.progress === 0 || !next) return { first: position, start: placeOf(here, plan) };
  return { first: position + 1, start: between(placeOf(here, plan), placeOf(next, plan), resumed.progress) };
}

function placeOf(waypoint: Waypoint, plan: FlightPlan): Place {
  // Only WGS84 heights are absolute; following the surface is taken as a height above the pad.
  const base = plan.route.heightMode === 'WGS84' ? plan.home.heightMeters : 0;
  return {
    latitude: waypoint.latitude,
    longitude: waypoint.longitude,
    elevationMeters: waypoint.heightMeters - base,
  };
}

function moving(from: Place, to: Place, speed: number): { from: Place; to: Place; durationMs: number } {
  return { from, to, durationMs: Math.round((distanceMeters(from, to) / speed) * 1_000) };
}
