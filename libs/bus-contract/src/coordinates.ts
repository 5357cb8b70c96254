/** Degrees; north and east are positive. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Docks that do not know where they are say 0, 0 or what lies beyond the earth. Both count as unknown. */
export function coordinatesOf(latitude: unknown, longitude: unknown): Coordinates | null {
  const [lat, lon] = [numberOf(latitude), numberOf(longitude)];
  if (lat === null || lon === null || (lat === 0 && lon === 0)) return null;
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { latitude: lat, longitude: lon } : null;
}

/** Some docks write numbers as text. */
function numberOf(value: unknown): number | null {
  const isText = typeof value === 'string' && /^-?\d{1,3}(\.\d{1,20})?$/.test(value);
  const number = isText ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
