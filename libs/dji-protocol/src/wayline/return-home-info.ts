import type { z } from 'zod';
import { MOST_DEVICES, MOST_POINTS } from '../most.js';
import { decimal, integer, integerOrNone, list, name, optional, record, text } from '../tolerant.js';
import { namedFlight } from './flight-ids.js';

export interface ReturnPathPoint {
  /** Degrees. */
  readonly latitude: number;
  /** Degrees. */
  readonly longitude: number;
  /** Ellipsoid height in metres. */
  readonly height?: number;
}

/** How far one dock of a leapfrog flight is as a place to return to. Dock 2 and 3, since 1.11. */
export interface DockHomeInfo {
  readonly sn: string;
  /** 0 failed or still planning, 1 unreachable, 2 unreachable with the battery that is left, 3 reachable. */
  readonly plan_status?: number;
  /** Percent of the battery. */
  readonly estimated_battery_consumption?: number;
  /** Metres. */
  readonly home_distance?: number;
}

/** The way home as the aircraft plans it now. Devices may send the flight alone. [Cloud API 1.7, return_home_info] */
export interface ReturnHomeInfo {
  readonly flight_id?: string;
  /** The whole path each time: it replaces the one before. */
  readonly planned_path_points?: readonly ReturnPathPoint[];
  /** 0 the path ends above the home point, 1 elsewhere; null for 65535 (quirk M17). */
  readonly last_point_type?: number | null;
  /** The dock that is the home of a leapfrog flight now. */
  readonly home_dock_sn?: string;
  /** Both docks of a leapfrog flight. */
  readonly multi_dock_home_info?: readonly DockHomeInfo[];
}

export const decodeReturnHomeInfo: z.ZodType<ReturnHomeInfo> = record(
  {
    flight_id: optional(text),
    planned_path_points: optional(
      list(record({ latitude: decimal, longitude: decimal, height: optional(decimal) }), MOST_POINTS),
    ),
    last_point_type: optional(integerOrNone),
    home_dock_sn: optional(text),
    multi_dock_home_info: optional(
      list(
        record({
          sn: name,
          plan_status: optional(integer),
          estimated_battery_consumption: optional(decimal),
          home_distance: optional(decimal),
        }),
        MOST_DEVICES,
      ),
    ),
  },
  namedFlight,
);
