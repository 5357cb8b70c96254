import { type DockPosition, type DockStateView, coordinatesOf } from '@aerie/bus-contract';
import { type Coordinates, FARTHEST_METERS, type RouteDistances, routeDistances } from '@aerie/mission-core';
import type { RouteShape } from '../../waylines/route-shapes.js';

/**
 * Where a dock is, as far as fleet-service knows. What the dock said last serves while the kept position is not available:
 * a fleet-service of the previous release does not keep it.
 */
export function positionOf(view: DockStateView | undefined, kept?: DockPosition | null): Coordinates | null {
  const { latitude, longitude } = view?.properties ?? {};
  return view?.position ?? kept ?? coordinatesOf(latitude?.value, longitude?.value);
}

/** Cautious: half of what the fastest files ask for, so that an unknown speed gives a longer flight and never a shorter one. */
const DEFAULT_SPEED_METERS_PER_SECOND = 7.5;

/** A flight from one dock along one route and back. */
export interface WayToRoute {
  readonly distances: RouteDistances;
  /** From take-off to landing: to the first waypoint, along the route, and back from the last one. */
  readonly durationMs: number;
}

/** Null: the position of the dock is unknown. */
export function wayToRoute(shape: RouteShape | undefined, from: Coordinates | null): WayToRoute | null {
  const distances = shape === undefined || from === null ? null : routeDistances(from, shape.waypoints);
  if (shape === undefined || distances === null) return null;
  // A longer way is never flown; it must not take the dock from other missions for days.
  const wayMeters = Math.min(distances.firstMeters, FARTHEST_METERS) + Math.min(distances.lastMeters, FARTHEST_METERS);
  const speed = shape.transitionalSpeed ?? DEFAULT_SPEED_METERS_PER_SECOND;
  return { distances, durationMs: shape.durationMs + Math.round((wayMeters / speed) * 1_000) };
}
