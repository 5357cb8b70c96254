import {
  type CauseCode,
  type Delivery,
  type Mission,
  type MissionKind,
  type MissionState,
  type Timing,
} from '@aerie/mission-core';
import type { StoredBreakPoint } from '../dji/dock-profiles.js';
import type { MissionProgress } from '../dji/reported-progress.js';
import { type StoredApproval, approvalOf } from './approval-column.js';
import type { Verdicts } from './preflights.js';

export type RcLost = 'continue' | 'executeLostAction';
export type Positioning = 'gps' | 'rtk';

/** A mission as it lies in the table, with what its commands need of its dock and its wayline. */
export interface MissionRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly dock_sn: string;
  readonly wayline_id: string;
  readonly name: string;
  readonly kind: MissionKind;
  readonly delivery: Delivery;
  readonly state: MissionState;
  readonly revision: number;
  readonly edition: number;
  readonly execute_at: Date | null;
  readonly prepare_at: Date;
  readonly deadline: Date | null;
  readonly ready_from: Date | null;
  readonly ready_until: Date | null;
  readonly prepare_count: number;
  readonly attempt: number;
  readonly undo_count: number;
  readonly since: Date;
  readonly started_at: Date | null;
  /** A bigint, which the driver hands out as text. */
  readonly paused_ms: string;
  readonly heard_at: Date | null;
  readonly flown_at: Date | null;
  readonly resting_since: Date | null;
  readonly next_action_at: Date | null;
  readonly cause_code: CauseCode | null;
  readonly cause_dock_result: number | null;
  readonly prepared_fingerprint: string | null;
  readonly rth_altitude_meters: number;
  readonly exit_on_rc_lost: RcLost;
  readonly positioning: Positioning;
  /** The rules of time that it was planned with; empty for missions of the first release. */
  readonly timing: Partial<Timing>;
  readonly battery_above_percent: number | null;
  readonly storage_needed_megabytes: number | null;
  readonly simulate: SimulatedPlace | null;
  readonly flight_area_check: boolean;
  readonly break_point: StoredBreakPoint | null;
  readonly resumed_from: string | null;
  readonly auto_resume_count: number;
  readonly verdicts: Verdicts;
  readonly progress: MissionProgress | null;
  readonly resolution: unknown;
  /** When its dock spoke of this flight as going on, or was seen to fly, after it had ended as unknown. */
  readonly contradicted_at: Date | null;
  /** Null: it needs no approval. */
  readonly approval: StoredApproval | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns of a mission, by name: a prepared statement must return the same ones after a migration. */
export const MISSION_COLUMNS = Object.keys({
  id: true,
  organisation_id: true,
  dock_sn: true,
  wayline_id: true,
  name: true,
  kind: true,
  delivery: true,
  state: true,
  revision: true,
  edition: true,
  execute_at: true,
  prepare_at: true,
  deadline: true,
  ready_from: true,
  ready_until: true,
  prepare_count: true,
  attempt: true,
  undo_count: true,
  since: true,
  started_at: true,
  paused_ms: true,
  heard_at: true,
  flown_at: true,
  resting_since: true,
  next_action_at: true,
  cause_code: true,
  cause_dock_result: true,
  prepared_fingerprint: true,
  rth_altitude_meters: true,
  exit_on_rc_lost: true,
  positioning: true,
  timing: true,
  battery_above_percent: true,
  storage_needed_megabytes: true,
  simulate: true,
  flight_area_check: true,
  break_point: true,
  resumed_from: true,
  auto_resume_count: true,
  verdicts: true,
  progress: true,
  resolution: true,
  contradicted_at: true,
  approval: true,
  created_by: true,
  created_at: true,
  updated_at: true,
} satisfies Record<keyof MissionRow, true>);

/** Where an aircraft without propellers pretends to take off. */
export interface SimulatedPlace {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeMeters?: number;
}

/** Which aircraft and payloads a wayline was made for, as its table has it. */
export interface WaylineModels {
  readonly aircraft_model_key: string;
  readonly names_sub_type: boolean;
  readonly payload_model_keys: readonly string[] | null;
}

/** What a dock reports of a flight that goes on, beside the wide row of its mission. */
export interface FlightLive {
  readonly mission_id: string;
  /** The attempt that it speaks of; of another one it says nothing. */
  readonly attempt: number;
  /** When the dock was last heard: no later than the database's clock, and never earlier than before. */
  readonly heard_at: Date;
  /** The latest receive time of these reports as the ingress gave it. */
  readonly received_at: Date;
  /** How many there were. */
  readonly reports: number;
  /** Short forms of the ids of the last of them, as the release before this one kept them. */
  readonly recent: string;
  /** How many of `lines` are not in the track yet: the first ones. */
  readonly gathered: number;
  /** The last reports, a line each, newest first. */
  readonly lines: string;
  readonly progress: MissionProgress;
  /** The same as the row has it, before the reports that have gathered; undefined: there is no row yet. */
  readonly kept?: KeptLive | undefined;
}

export type KeptLive = Pick<FlightLive, 'heard_at' | 'received_at' | 'reports' | 'progress'>;

/** A locked mission with all that a decision and its commands need. */
export interface LockedMission extends MissionRow, WaylineModels {
  readonly model: 'dock1' | 'dock2' | 'dock3';
  readonly protocol_generation: string;
  readonly dock_heard_at: Date | null;
  /** The flight that the dock spoke of last, and since when. */
  readonly dock_flight_id: string | null;
  readonly dock_flight_at: Date | null;
  readonly md5: string;
  readonly object_key: string;
  /** With the way from the dock and back, where its position was known as it was planned. */
  readonly planned_duration_ms: number;
  /** What its dock reports of the flight as it goes on; `heard_at` and `progress` hold the later of both. */
  readonly live: FlightLive | null;
  /** The database's clock, read when the row was locked. */
  readonly now: Date;
}

/** The part of a row that the pure core decides on. */
export function missionOf(row: LockedMission): Mission {
  return {
    kind: row.kind,
    delivery: row.delivery,
    state: row.state,
    revision: row.revision,
    edition: row.edition,
    executeAtMs: ms(row.execute_at),
    prepareAtMs: row.prepare_at.getTime(),
    deadlineMs: ms(row.deadline),
    readyFromMs: ms(row.ready_from),
    readyUntilMs: ms(row.ready_until),
    plannedDurationMs: row.planned_duration_ms,
    prepareCount: row.prepare_count,
    attempt: row.attempt,
    undoCount: row.undo_count,
    sinceMs: row.since.getTime(),
    startedAtMs: ms(row.started_at),
    pausedMs: Number(row.paused_ms),
    heardAtMs: ms(row.heard_at),
    flownAtMs: ms(row.flown_at),
    restingSinceMs: ms(row.resting_since),
    nextActionAtMs: ms(row.next_action_at),
    cause:
      row.cause_code === null
        ? null
        : {
            code: row.cause_code,
            ...(row.cause_dock_result === null ? {} : { dockResult: row.cause_dock_result }),
          },
    approval: approvalOf(row.approval),
  };
}

const ms = (at: Date | null): number | null => at?.getTime() ?? null;
export const dateOf = (atMs: number | null): Date | null => (atMs === null ? null : new Date(atMs));

export type { MissionProgress };
