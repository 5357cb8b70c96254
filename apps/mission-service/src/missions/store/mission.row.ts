import type { CauseCode, Mission, MissionKind, MissionState } from '@aerie/mission-core';

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
  readonly state: MissionState;
  readonly revision: number;
  readonly execute_at: Date | null;
  readonly prepare_at: Date;
  readonly deadline: Date | null;
  readonly ready_until: Date | null;
  readonly prepare_count: number;
  readonly attempt: number;
  readonly undo_count: number;
  readonly since: Date;
  readonly started_at: Date | null;
  readonly heard_at: Date | null;
  readonly next_action_at: Date | null;
  readonly cause_code: CauseCode | null;
  readonly cause_dock_result: number | null;
  readonly prepared_fingerprint: string | null;
  readonly rth_altitude_meters: number;
  readonly exit_on_rc_lost: RcLost;
  readonly positioning: Positioning;
  readonly progress: MissionProgress | null;
  readonly resolution: unknown;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** A locked mission with all that a decision and its commands need. */
export interface LockedMission extends MissionRow {
  readonly model: 'dock1' | 'dock2' | 'dock3';
  readonly protocol_generation: string;
  readonly dock_heard_at: Date | null;
  readonly md5: string;
  readonly object_key: string;
  readonly planned_duration_ms: number;
  /** The database's clock, read when the row was locked. */
  readonly now: Date;
}

/** The last that the dock reported of a flight. */
export interface MissionProgress {
  /** The dock's own word. */
  readonly status: string;
  /** Of the whole job, 0 to 100; real docks stay at 90 while they fly. */
  readonly percent: number | null;
  /** The dock's own number; its meaning differs by model and firmware. */
  readonly currentStep: number | null;
  /** Waypoint that is being flown. */
  readonly waypointIndex: number | null;
  /** Photos and videos made; meaningful once the mission has ended. */
  readonly mediaCount: number | null;
  readonly reportedAt: string;
}

/** The part of a row that the pure core decides on. */
export function missionOf(row: MissionRow): Mission {
  return {
    kind: row.kind,
    state: row.state,
    revision: row.revision,
    executeAtMs: ms(row.execute_at),
    prepareAtMs: row.prepare_at.getTime(),
    deadlineMs: ms(row.deadline),
    readyUntilMs: ms(row.ready_until),
    prepareCount: row.prepare_count,
    attempt: row.attempt,
    undoCount: row.undo_count,
    sinceMs: row.since.getTime(),
    startedAtMs: ms(row.started_at),
    heardAtMs: ms(row.heard_at),
    nextActionAtMs: ms(row.next_action_at),
    cause:
      row.cause_code === null
        ? null
        : {
            code: row.cause_code,
            ...(row.cause_dock_result === null ? {} : { dockResult: row.cause_dock_result }),
          },
  };
}

const ms = (at: Date | null): number | null => at?.getTime() ?? null;
export const dateOf = (atMs: number | null): Date | null => (atMs === null ? null : new Date(atMs));
