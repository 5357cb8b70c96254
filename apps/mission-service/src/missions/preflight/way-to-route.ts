import { type DockPosition, type DockStateView, coordinatesOf } from '@aerie/bus-contract';
import { type Coordinates, type RouteDistances, routeDistances } from '@aerie/mission-core';
import type { RouteShape } from '../../waylines/route-shapes.js';

/**
 * Where a dock is, as far as fleet-service knows. What the dock said last serves while the kept position is not available:
 * a fleet-service of the previous release does not keep it.
 */
export function positionOf(view: DockStateView | undefined, kept?: DockPosition | null): Coordinates | null {
  const { latitude, longitude } = view?.properties ?? {};
  return view?.position ?? kept ?? coordinatesOf(latitude?.value, longitude?.value);
}

/** Null: the position of the dock is unknown. */
export function distancesTo(shape: RouteShape | undefined, from: Coordinates | null): RouteDistances | null {
  return shape === undefined || from === null ? null : routeDistances(from, shape.waypoints);
}
