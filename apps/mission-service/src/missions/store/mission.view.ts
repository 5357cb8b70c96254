import type { MissionRow } from './mission.row.js';

export type MissionView = ReturnType<typeof viewOf>;

/** A mission as the API shows it. Instants are RFC 3339 in UTC; null where there is nothing to say. */
export function viewOf(row: MissionRow) {
  return {
    id: row.id,
    name: row.name,
    dockSn: row.dock_sn,
    waylineId: row.wayline_id,
    kind: row.kind,
    state: row.state,
    version: row.revision,
    executeAt: iso(row.execute_at),
    /** No execute leaves at or after this. */
    deadline: iso(row.deadline),
    rthAltitudeMeters: row.rth_altitude_meters,
    exitOnRcLost: row.exit_on_rc_lost,
    positioning: row.positioning,
    /** How often execute was claimed. */
    attempt: row.attempt,
    startedAt: iso(row.started_at),
    nextActionAt: iso(row.next_action_at),
    /** Why it ended, or why it waits. */
    cause:
      row.cause_code === null
        ? null
        : { code: row.cause_code, ...(row.cause_dock_result === null ? {} : { dockResult: row.cause_dock_result }) },
    progress: row.progress,
    /** What the dock said later of a mission whose outcome was unknown. */
    resolution: row.resolution,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
