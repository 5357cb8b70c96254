/** A place on the map; heights are metres, said by the name of the member that holds them. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Somewhere in the air, measured from the dock's pad. */
export interface Place extends Coordinates {
  readonly elevationMeters: number;
}

const METERS_PER_DEGREE = 111_320;

/** Flat-earth distance: routes of a dock span a few kilometres. */
export function groundDistanceMeters(from: Coordinates, to: Coordinates): number {
  const north = (to.latitude - from.latitude) * METERS_PER_DEGREE;
  const east = (to.longitude - from.longitude) * METERS_PER_DEGREE * Math.cos((from.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}

export function distanceMeters(from: Place, to: Place): number {
  return Math.hypot(groundDistanceMeters(from, to), to.elevationMeters - from.elevationMeters);
}

/** The place reached after this fraction of the straight line. */
export function between(from: Place, to: Place, fraction: number): Place {
  const mix = (start: number, end: number): number => start + (end - start) * fraction;
  return {
    latitude: mix(from.latitude, to.latitude),
    longitude: mix(from.longitude, to.longitude),
    elevationMeters: mix(from.elevationMeters, to.elevationMeters),
  };
}

/** Compass direction from one place to another: 0 is north, east is positive, ±180. */
export function headingDegrees(from: Coordinates, to: Coordinates): number {
  const north = to.latitude - from.latitude;
  const east = (to.longitude - from.longitude) * Math.cos((from.latitude * Math.PI) / 180);
  return (Math.atan2(east, north) * 180) / Math.PI;
}

/** The place so many metres to the north and to the east. */
export function offset(from: Coordinates, northMeters: number, eastMeters: number): Coordinates {
  return {
    latitude: from.latitude + northMeters / METERS_PER_DEGREE,
    longitude: from.longitude + eastMeters / (METERS_PER_DEGREE * Math.cos((from.latitude * Math.PI) / 180)),
  };
}
