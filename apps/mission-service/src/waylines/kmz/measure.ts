export interface Position {
  readonly longitude: number;
  readonly latitude: number;
}

/** Mean radius of the earth. [IUGG] */
const EARTH_RADIUS_METERS = 6_371_008.8;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Along the ground, by the haversine formula: better than 0.6 % everywhere. */
export function groundDistanceMeters(from: Position, to: Position): number {
  const latitudes = Math.sin(radians(to.latitude - from.latitude) / 2) ** 2;
  const longitudes = Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  const part = latitudes + Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * longitudes;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(part)));
}

/** Through the air, straight from one point to the other. */
export function airDistanceMeters(
  from: Position & { readonly heightMeters: number },
  to: Position & { readonly heightMeters: number },
): number {
  return Math.hypot(groundDistanceMeters(from, to), to.heightMeters - from.heightMeters);
}
