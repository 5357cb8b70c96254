import { type Coordinates, groundDistanceMeters } from '@aerie/mission-core';

/** Through the air, straight from one point to the other. */
export function airDistanceMeters(
  from: Coordinates & { readonly heightMeters: number },
  to: Coordinates & { readonly heightMeters: number },
): number {
  return Math.hypot(groundDistanceMeters(from, to), to.heightMeters - from.heightMeters);
}
