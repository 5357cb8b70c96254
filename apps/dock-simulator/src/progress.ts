import type { BreakPoint, FlightReport } from './flight-report.js';
import type { Home } from './flight-plan.js';
import type { Dialect } from './wire.js';

/** How the wire says "no wayline". */
const NO_WAYLINE = 65_535;

const STATUSES: readonly FlightReport['status'][] = ['sent', 'in_progress', 'paused', 'ok', 'failed', 'canceled'];

export interface ProgressOverrides {
  readonly status?: FlightReport['status'];
  readonly missionState?: number;
  /** The status as its place in the list of the words. */
  readonly asNumber?: boolean;
}

/** The body of `flighttask_progress`. */
export function progressData(
  report: FlightReport,
  home: Home,
  dialect: Dialect,
  overrides: ProgressOverrides = {},
): unknown {
  const word = overrides.status ?? report.status;
  const status = overrides.asNumber === true ? STATUSES.indexOf(word) : word;
  const progress = { current_step: report.step, percent: report.percent };
  const ext = {
    current_waypoint_index: report.waypointIndex,
    media_count: report.phase === 'ended' ? report.mediaCount : 0,
    track_id: report.trackId,
  };
  // [Cloud API 1.3.0] the tables of that time have no `output` level, and `ext` ends here.
  if (dialect === 'seed') return { result: report.result, status, progress, ext };
  return {
    result: report.result,
    output: {
      status,
      progress,
      ext: {
        ...ext,
        flight_id: report.flightId,
        wayline_id: report.waylineId ?? NO_WAYLINE,
        wayline_mission_state: overrides.missionState ?? report.missionState,
        ...(report.breakPoint && word !== 'ok' ? { break_point: breakPointData(report.breakPoint, home) } : {}),
      },
    },
  };
}

function breakPointData(point: BreakPoint, home: Home): unknown {
  return {
    index: point.index,
    state: point.atWaypoint ? 1 : 0,
    progress: point.progress,
    wayline_id: point.waylineId,
    break_reason: point.reason,
    latitude: point.place.latitude,
    longitude: point.place.longitude,
    height: home.heightMeters + point.place.elevationMeters,
    attitude_head: Math.round(point.headingDegrees * 10) / 10,
  };
}
