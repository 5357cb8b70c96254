import type { Home } from './flight-plan.js';
import { offset } from './geo.js';
import type { Route } from './route.js';
import type { Task } from './tasks.js';

/** A short flight that nobody here ordered: somebody else's cloud did, or a person beside the dock. */
export function foreignTask(flightId: string, home: Home): Task & { route: Route } {
  const waypoints = [60, 100].map((northMeters, index) => ({
    waylineId: 0,
    index,
    ...offset(home, northMeters, 0),
    heightMeters: 60,
    speedMetersPerSecond: 8,
    photos: 0,
    hoverSeconds: 0,
  }));
  return {
    flightId,
    type: 'immediate',
    executeTimeMs: undefined,
    window: undefined,
    file: { url: '', fingerprint: '' },
    returnHeightMeters: 60,
    resumeAt: undefined,
    route: {
      takeOffSecurityHeightMeters: 60,
      transitSpeedMetersPerSecond: 10,
      heightMode: 'relativeToStartPoint',
      waypoints,
    },
    announcedReady: false,
  };
}
