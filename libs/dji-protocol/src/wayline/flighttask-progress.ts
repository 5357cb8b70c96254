import { z } from 'zod';
import {
  UNKNOWN_16_BIT,
  UNKNOWN_MISPRINT,
  decimal,
  integer,
  integerOrNone,
  optional,
  record,
  text,
  underOutput,
  type Members,
} from '../tolerant.js';
import { namedFlight } from './flight-ids.js';
import type { FlighttaskStatus } from './flighttask-status.js';

/** Where and why a flight stopped. Its first four members can be sent back in a prepare. [Cloud API 1.4] */
export interface BreakPoint {
  readonly index?: number;
  /** 0 on a segment, 1 on a waypoint. */
  readonly state?: number;
  /** Share of the segment, 0.0 to 1.0. */
  readonly progress?: number;
  /** Null where the device has none (65535, quirk M17). */
  readonly wayline_id?: number | null;
  /** An open list; the result code of the flight is 321000 plus this. */
  readonly break_reason?: number;
  /** Degrees. */
  readonly latitude?: number;
  /** Degrees. */
  readonly longitude?: number;
  /** Ellipsoid height in metres. */
  readonly height?: number;
  /** Degrees, east positive. */
  readonly attitude_head?: number;
}

export interface FlighttaskProgressExt {
  /** Index of the waypoint that is flown. Better to show than percent, which sticks at 90 in flight (quirk M28). */
  readonly current_waypoint_index?: number;
  /** Media created by the flight. Kept as sent, but it means something only in the terminal message (quirk M5). */
  readonly media_count?: number;
  /** Opaque: called both track id and wayline id (quirk M4). Empty in a terminal message. */
  readonly track_id?: string;
  /** The mission. Since 1.3.1; before, only the `bid` tells. */
  readonly flight_id?: string;
  /** The wayline inside the KMZ; null when none started (65535, quirk M17). Since 1.7. */
  readonly wayline_id?: number | null;
  /** 0 to 9. 9 also appears on a pause, so it never ends a flight (quirk M16). Since 1.7. */
  readonly wayline_mission_state?: number;
  /** Since 1.4. Never present beside `ok` (quirk M15). */
  readonly break_point?: BreakPoint;
  /** Undocumented, sent by real docks. `last_point_type` is null for 65535. */
  readonly transition_wayline_info?: {
    readonly last_point_type?: number | null;
    readonly planned_path_points?: readonly unknown[];
  };
}

/** How a flight goes. [Cloud API 1.1, flighttask_progress] */
export interface FlighttaskProgress {
  /** 0, or the code of the failure. */
  readonly result: number;
  readonly output: {
    readonly status: FlighttaskStatus;
    readonly progress: {
      /** Renumbered by almost every release, and by firmware: for display, never for decisions (quirks M1, M2). */
      readonly current_step?: number;
      /** 0 to 100 of the whole job, not of the route. */
      readonly percent?: number;
    };
    readonly ext: FlighttaskProgressExt;
  };
}

const breakPoint = record({
  index: optional(integer),
  state: optional(integer),
  progress: optional(decimal),
  wayline_id: optional(integerOrNone),
  break_reason: optional(integer),
  latitude: optional(decimal),
  longitude: optional(decimal),
  height: optional(decimal),
  attitude_head: optional(decimal),
});

const ext = record(
  {
    current_waypoint_index: optional(integer),
    media_count: optional(integer),
    track_id: optional(text),
    flight_id: optional(text),
    wayline_id: optional(integerOrNone),
    wayline_mission_state: optional(integer),
    break_point: optional(breakPoint),
    transition_wayline_info: optional(
      record({
        last_point_type: optional(integerOrNone),
        planned_path_points: optional(z.array(z.unknown())),
      }),
    ),
  },
  namedFlight,
);

/** Quirk M19: the pages of 1.7 and 1.8 print five digits for "unknown". */
const step = integer.transform((value) => (value === UNKNOWN_MISPRINT ? UNKNOWN_16_BIT : value));

/** How far a job is; the same in every message that reports it. */
export const decodeStepAndPercent = record({ current_step: optional(step), percent: optional(decimal) });

const output = record(
  {
    status: text.refine((status) => status !== '', 'must not be empty'),
    progress: decodeStepAndPercent,
    ext,
  },
  completed,
);

/** Supplies the levels that a short message leaves out, and drops the breakpoint of a success (quirk M15). */
function completed(value: Members): Members {
  const whole = { ...value, progress: value['progress'] ?? {}, ext: value['ext'] ?? {} };
  if (value['status'] !== 'ok') return whole;
  const { break_point: _stale, ...rest } = whole.ext as Members;
  return { ...whole, ext: rest };
}

export const decodeFlighttaskProgress: z.ZodType<FlighttaskProgress> = record({ result: integer, output }, (value) => ({
  ...underOutput(value, ['status', 'progress', 'ext']),
  result: value['result'] ?? 0,
}));
