/** What a route file says, as far as we understand it. Words in quotes are the vendor's, kept as they are. */
export interface Wayline {
  readonly missionConfig: MissionConfig;
  readonly routes: readonly Route[];
  /** `waypoint`, `mapping2d`, `mapping3d`, `mappingStrip`: how the route was drawn. */
  readonly templateType?: string;
  readonly warnings: readonly Warning[];
  readonly summary: WaylineSummary;
}

export interface WaylineSummary {
  readonly routeCount: number;
  readonly waypointCount: number;
  /** Along all routes and from each to the next; without the way from the dock and back. */
  readonly distanceMeters: number;
  /** On the way to the route, from one to the next, and back. */
  readonly transitionalSpeedMetersPerSecond: number;
  /** For the same way: with hovering and without acceleration, or what the file says where that is more. */
  readonly plannedDurationSeconds: number;
}

export const FINISH_ACTIONS = ['goHome', 'noAction', 'autoLand', 'gotoFirstWaypoint'] as const;
export const EXIT_ON_RC_LOST = ['goContinue', 'executeLostAction'] as const;
export const RC_LOST_ACTIONS = ['goBack', 'landing', 'hover'] as const;
export const FLY_TO_WAYLINE_MODES = ['safely', 'pointToPoint'] as const;
export const HEIGHT_MODES = ['WGS84', 'relativeToStartPoint', 'realTimeFollowSurface'] as const;

export interface MissionConfig {
  readonly flyToWaylineMode: (typeof FLY_TO_WAYLINE_MODES)[number];
  readonly finishAction: (typeof FINISH_ACTIONS)[number];
  readonly exitOnRcLost: (typeof EXIT_ON_RC_LOST)[number];
  readonly executeRcLostAction?: (typeof RC_LOST_ACTIONS)[number];
  /** Above the take-off point. */
  readonly takeOffSecurityHeightMeters: number;
  readonly globalTransitionalSpeedMetersPerSecond: number;
  readonly globalRthHeightMeters?: number;
  /** Aircraft that the route was made for, as docks name it: `0-<type>-<sub type>`. */
  readonly droneModelKey: string;
  /** False: the file leaves the sub type out, and the key says 0. */
  readonly namesDroneSubType: boolean;
  /** Payloads that the route was made for: `1-<type>-<sub type>`. */
  readonly payloadModelKeys: readonly string[];
}

export interface Route {
  readonly waylineId: number;
  readonly templateId: number;
  /** What heights are measured from. `WGS84` is the ellipsoid, not the sea. */
  readonly executeHeightMode: (typeof HEIGHT_MODES)[number];
  readonly autoFlightSpeedMetersPerSecond: number;
  /** In flying order. */
  readonly waypoints: readonly Waypoint[];
  readonly lowestMeters: number;
  readonly highestMeters: number;
  readonly actionCount: number;
  readonly distanceMeters: number;
  readonly durationSeconds: number;
}

export interface Waypoint {
  readonly index: number;
  readonly longitude: number;
  readonly latitude: number;
  readonly heightMeters: number;
  /** Speed on the way to the next one: its own, else the route's. */
  readonly speedMetersPerSecond: number;
  readonly turnMode?: string;
}

/** Something to look at before flying; the file is accepted all the same. */
export interface Warning {
  readonly file: string;
  readonly element: string;
  readonly line: number;
  readonly message: string;
}
