/** Degrees; north and east are positive. */
export interface Coordinates {
  readonly longitude: number;
  readonly latitude: number;
}

/** From a dock to the waypoints of a route, along the ground. */
export interface RouteDistances {
  readonly firstMeters: number;
  readonly farthestMeters: number;
  readonly lastMeters: number;
}

/** Mean radius of the earth. [IUGG] */
const EARTH_RADIUS_METERS = 6_371_008.8;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Along the ground, by the haversine formula: better than 0.6 % everywhere. */
export function groundDistanceMeters(from: Coordinates, to: Coordinates): number {
  const latitudes = Math.sin(radians(to.latitude - from.latitude) / 2) ** 2;
  const longitudes = Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  const part = latitudes + Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * longitudes;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(part)));
}

/** Null for a route without waypoints. The waypoints are in flying order. */
export function routeDistances(dock: Coordinates, waypoints: readonly Coordinates[]): RouteDistances | null {
  const [first, last] = [waypoints[0], waypoints.at(-1)];
  if (first === undefined || last === undefined) return null;
  let farthestMeters = 0;
  for (const waypoint of waypoints) farthestMeters = Math.max(farthestMeters, groundDistanceMeters(dock, waypoint));
  return {
    firstMeters: groundDistanceMeters(dock, first),
    farthestMeters,
    lastMeters: groundDistanceMeters(dock, last),
  };
}
