export { airDistanceMeters } from './measure.js';
export { LIMITS } from './limits.js';
export { readKmz } from './read-kmz.js';
export { KmzReader } from './kmz-reader.js';
export { type RouteFeature, type RouteFeatures, routeGeoJson } from './route-geojson.js';
export {
  type MissionConfig,
  type Route,
  type Warning,
  type Wayline,
  type WaylineSummary,
  type Waypoint,
} from './wayline.js';
