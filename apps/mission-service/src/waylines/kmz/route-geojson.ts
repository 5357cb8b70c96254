import type { Route, Wayline } from './wayline.js';

type Coordinates = readonly [longitude: number, latitude: number, heightMeters: number];

/** The part of GeoJSON that a map of routes needs. [RFC 7946] */
export interface RouteFeature {
  readonly type: 'Feature';
  readonly geometry:
    | { readonly type: 'LineString'; readonly coordinates: readonly Coordinates[] }
    | { readonly type: 'Point'; readonly coordinates: Coordinates };
  readonly properties: Readonly<Record<string, string | number>>;
}

export interface RouteFeatures {
  readonly type: 'FeatureCollection';
  readonly features: readonly RouteFeature[];
}

/**
 * The routes for a map: a line per route and a point per waypoint. The third coordinate is measured from what
 * `heightMode` says, so it is an altitude in the sense of GeoJSON only where that is `WGS84`.
 */
export function routeGeoJson({ routes }: Pick<Wayline, 'routes'>): RouteFeatures {
  return { type: 'FeatureCollection', features: routes.flatMap((route) => [lineOf(route), ...pointsOf(route)]) };
}

function lineOf(route: Route): RouteFeature {
  return {
    type: 'Feature',
    geometry: {
      type: 'LineString',
      coordinates: route.waypoints.map((point): Coordinates => [point.longitude, point.latitude, point.heightMeters]),
    },
    properties: {
      kind: 'route',
      waylineId: route.waylineId,
      heightMode: route.executeHeightMode,
      distanceMeters: Math.round(route.distanceMeters),
      durationSeconds: Math.round(route.durationSeconds),
    },
  };
}

function pointsOf(route: Route): RouteFeature[] {
  return route.waypoints.map(({ index, longitude, latitude, heightMeters, speedMetersPerSecond }) => ({
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [longitude, latitude, heightMeters] },
    properties: { kind: 'waypoint', waylineId: route.waylineId, index, heightMeters, speedMetersPerSecond },
  }));
}
