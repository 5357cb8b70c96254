import type { FieldProblem } from '@aerie/kernel';
import { z } from 'zod';
import { isDock2OrNewer, speaks, type DockProfile } from '../dock-profile.js';
import type { JsonObject } from '../payload.js';
import { epochMs, flightId, latitude, longitude, pick, rthAltitude, written, zeroOrOne } from '../strict.js';
import { decimal, flag, integer, name, optional, record } from '../tolerant.js';
import { decodeResumePoint, strictResumePoint, type ResumePoint } from './resume-point.js';
import { decodeWaylineFile, strictWaylineFile, type WaylineFile } from './wayline-file.js';

/** Window and battery that let a conditional task start; both ends are exclusive. [Cloud API 1.3.2, flighttask_prepare] */
export interface ReadyConditions {
  /** Percent; the task is ready only above it. */
  readonly battery_capacity: number;
  /** Milliseconds since the epoch. */
  readonly begin_time: number;
  /** Milliseconds since the epoch. */
  readonly end_time: number;
}

/** Indoor test without propellers. [Cloud API 1.7, flighttask_prepare] */
export interface SimulateMission {
  /** 0 off, 1 on. */
  readonly is_enable: number;
  /** Degrees, -90 to 90. */
  readonly latitude: number;
  /** Degrees, -180 to 180. */
  readonly longitude: number;
  /** Metres, -9999.9 to 9999.9; Dock 3 only (quirk M14). */
  readonly altitude?: number;
}

/** Delivers a flight that a later `flighttask_execute` starts. [Cloud API 1.3.0, flighttask_prepare] */
export interface FlighttaskPrepare {
  /** Our mission id; a new one for each attempt. */
  readonly flight_id: string;
  /** 0 immediate, 1 timed, 2 conditional (since 1.3.2). */
  readonly task_type: number;
  /** Milliseconds since the epoch; required for types 0 and 1. An immediate task is refused 30 s off the dock's clock. */
  readonly execute_time?: number;
  /** 0 ordinary; 1 is left over from a beta (quirk M6). Gone since 1.8. */
  readonly wayline_type?: number;
  readonly file: WaylineFile;
  /** Required for type 2, ignored otherwise. Since 1.3.2. */
  readonly ready_conditions?: ReadyConditions;
  /** `storage_capacity`: free storage needed at the start; the pages give no unit. Since 1.3.2. */
  readonly executable_conditions?: { readonly storage_capacity: number };
  /** Where to resume an interrupted flight. Since 1.4. */
  readonly break_point?: ResumePoint;
  /** Metres above take-off, 20 to 1500. When resuming it replaces the take-off security height of the KMZ. */
  readonly rth_altitude?: number;
  /** 0 smart, 1 preset; only 1 is supported. Dock 2 and 3, since 1.7. */
  readonly rth_mode?: number;
  /** 0 return, 1 hover, 2 land. The vendor asks for 0 always (quirk M12). */
  readonly out_of_control_action?: number;
  /** 0 continue, 1 leave the wayline. Must agree with the KMZ. Since 1.4. */
  readonly exit_wayline_when_rc_lost?: number;
  /** 0 GPS, 1 RTK. Dock 2 and 3, since 1.8. */
  readonly wayline_precision_type?: number;
  /** Since 1.7. */
  readonly simulate_mission?: SimulateMission;
  /** 0 or 1 (quirk M13). Dock 2 and 3, since 1.11. */
  readonly flight_safety_advance_check?: number;
}

export const decodeFlighttaskPrepare: z.ZodType<FlighttaskPrepare> = record({
  flight_id: name,
  task_type: integer,
  // Quirk M7: the printed example has it as text.
  execute_time: optional(integer),
  wayline_type: optional(integer),
  file: decodeWaylineFile,
  ready_conditions: optional(record({ battery_capacity: integer, begin_time: integer, end_time: integer })),
  executable_conditions: optional(record({ storage_capacity: integer })),
  break_point: optional(decodeResumePoint),
  rth_altitude: optional(integer),
  rth_mode: optional(integer),
  out_of_control_action: optional(integer),
  exit_wayline_when_rc_lost: optional(flag),
  wayline_precision_type: optional(integer),
  simulate_mission: optional(
    record({ is_enable: flag, latitude: decimal, longitude: decimal, altitude: optional(decimal) }),
  ),
  flight_safety_advance_check: optional(flag),
});

export const strictFlighttaskPrepare = z.object({
  flight_id: flightId,
  task_type: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  execute_time: z.exactOptional(epochMs),
  wayline_type: z.exactOptional(z.literal(0)),
  file: strictWaylineFile,
  ready_conditions: z.exactOptional(
    z
      .object({ battery_capacity: z.int().min(0).max(100), begin_time: epochMs, end_time: epochMs })
      .refine((window) => window.begin_time < window.end_time, {
        path: ['end_time'],
        message: 'must be after begin_time',
      }),
  ),
  executable_conditions: z.exactOptional(z.object({ storage_capacity: z.int().min(0) })),
  break_point: z.exactOptional(strictResumePoint),
  rth_altitude: rthAltitude,
  rth_mode: z.exactOptional(zeroOrOne),
  out_of_control_action: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  exit_wayline_when_rc_lost: z.exactOptional(zeroOrOne),
  wayline_precision_type: z.exactOptional(zeroOrOne),
  simulate_mission: z.exactOptional(
    z.object({
      is_enable: zeroOrOne,
      latitude,
      longitude,
      altitude: z.exactOptional(z.number().min(-9999.9).max(9999.9)),
    }),
  ),
  flight_safety_advance_check: z.exactOptional(zeroOrOne),
});

/** Which members this dock knows. */
function membersOf(profile: DockProfile): string[] {
  const dock2 = isDock2OrNewer(profile);
  const table: readonly (readonly [string, boolean])[] = [
    ['flight_id', true],
    ['task_type', true],
    ['execute_time', true],
    ['file', true],
    ['ready_conditions', speaks(profile, '1.3.2')],
    ['executable_conditions', speaks(profile, '1.3.2')],
    ['break_point', speaks(profile, '1.4')],
    ['rth_altitude', true],
    ['rth_mode', dock2 && speaks(profile, '1.7')],
    ['out_of_control_action', true],
    ['exit_wayline_when_rc_lost', speaks(profile, '1.4')],
    ['wayline_precision_type', dock2 && speaks(profile, '1.8')],
    ['simulate_mission', speaks(profile, '1.7')],
    ['flight_safety_advance_check', dock2 && speaks(profile, '1.11')],
  ];
  return table.filter(([, known]) => known).map(([member]) => member);
}

export function encodeFlighttaskPrepare(data: unknown, profile: DockProfile): JsonObject {
  const members = membersOf(profile);
  const given = pick(data, members);
  const problems: FieldProblem[] = [];
  const required = (field: string, when: string): void => {
    if (given[field] === undefined) problems.push({ field, message: `is required ${when}` });
  };

  // Quirk M12: the vendor asks for 0 in every case; the dock translates it for the flight controller.
  given['out_of_control_action'] ??= 0;
  // Quirk M6: pages up to 1.7 require the field, with 0 as its only value.
  if (!speaks(profile, '1.8')) given['wayline_type'] = 0;
  // The only mode that any page calls supported.
  if (members.includes('rth_mode')) given['rth_mode'] ??= 1;
  // The vendor's advice where nothing else was decided.
  if (members.includes('wayline_precision_type')) given['wayline_precision_type'] ??= 1;
  // It must agree with the KMZ, so it cannot be guessed here.
  if (members.includes('exit_wayline_when_rc_lost')) required('exit_wayline_when_rc_lost', 'by this dock');
  if (given['simulate_mission'] !== undefined)
    given['simulate_mission'] = simulation(given['simulate_mission'], profile);

  if (given['task_type'] === 2) {
    if (!speaks(profile, '1.3.2')) {
      problems.push({ field: 'task_type', message: 'must be 0 or 1 for a dock older than 1.3.2' });
    } else {
      required('ready_conditions', 'for a conditional task');
    }
  } else {
    required('execute_time', 'for an immediate or timed task');
  }
  return written('flighttask_prepare', strictFlighttaskPrepare, given, problems);
}

function simulation(given: unknown, profile: DockProfile): unknown {
  const knowsAltitude = profile.model === 'dock3' && speaks(profile, '1.15');
  return pick(given, ['is_enable', 'latitude', 'longitude', ...(knowsAltitude ? ['altitude'] : [])]);
}
