import { SINCE_VERSION } from '@aerie/http-api';
import { isOutcome } from '@aerie/mission-core';
import { canBeResumed, dockErrorOf, enderOf } from '../dji/dock-errors.js';
import { CAUSES } from './causes.js';
import type { ShownMission } from '../store/flight-live.js';
import type { MissionRow } from '../store/mission.row.js';
import { knownTimingOf } from '../store/timing-column.js';

export type MissionView = ReturnType<typeof viewOf>;

/** A mission as the API shows it. Instants are RFC 3339 in UTC; null where there is nothing to say. */
export function viewOf(row: ShownMission) {
  const timing = knownTimingOf(row);
  return {
    [SINCE_VERSION]: row.live?.reports ?? 0,
    id: row.id,
    name: row.name,
    dockSn: row.dock_sn,
    waylineId: row.wayline_id,
    kind: row.kind,
    state: row.state,
    /** Grows with every decision; for `If-Match`. What a flight reports as it goes on is no decision. */
    version: row.revision,
    executeAt: iso(row.execute_at),
    prepareAt: row.prepare_at.toISOString(),
    /** No prepare and no execute leaves at or after this. */
    deadline: iso(row.deadline),
    /** Conditional missions: when the dock may start by itself. */
    window:
      row.ready_from === null || row.ready_until === null
        ? null
        : {
            from: row.ready_from.toISOString(),
            until: row.ready_until.toISOString(),
            batteryAbovePercent: row.battery_above_percent ?? 0,
          },
    rthAltitudeMeters: row.rth_altitude_meters,
    exitOnRcLost: row.exit_on_rc_lost,
    positioning: row.positioning,
    simulate: row.simulate,
    storageNeededMegabytes: row.storage_needed_megabytes,
    flightAreaCheck: row.flight_area_check,
    startWindowMs: timing.startWindowMs ?? null,
    startWithinMs: timing.startWithinMs ?? null,
    executeLeadMs: timing.executeLeadMs ?? null,
    prepareLeadMs: timing.prepareLeadMs ?? null,
    /** Whether another person has approved it. */
    approval: approvalView(row),
    /** The mission that this one goes on with. */
    resumedFrom: row.resumed_from,
    /** How often execute was claimed. */
    attempt: row.attempt,
    startedAt: iso(row.started_at),
    nextActionAt: iso(row.next_action_at),
    /** The last verdict of each stage with the rules that failed; the whole result is at `/preflight`. */
    preflight: {
      plan: row.verdicts.plan ?? null,
      prepare: row.verdicts.prepare ?? null,
      execute: row.verdicts.execute ?? null,
    },
    /** Why it ended, or why it waits. */
    cause: row.cause_code === null ? null : causeOf(row.cause_code, row),
    progress: row.progress,
    /** What the dock said later of a mission whose outcome was unknown. */
    resolution: row.resolution,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: updatedAt(row).toISOString(),
  };
}

export const APPROVAL_STATES = ['awaited', 'given', 'refused', 'missing'] as const;

function approvalStateOf({ approval, state, edition, cause_code }: MissionRow): (typeof APPROVAL_STATES)[number] {
  if (state === 'awaiting_approval') return 'awaited';
  if (approval?.givenEdition === edition) return 'given';
  return cause_code === 'approval_refused' ? 'refused' : 'missing';
}

function approvalView(row: MissionRow) {
  const { approval } = row;
  if (approval === null) return null;
  const state = approvalStateOf(row);
  return {
    state,
    /** Without an approval it ends then. */
    until: state === 'awaited' ? new Date(approval.untilMs).toISOString() : null,
    changedBy: approval.changedBy,
    decidedBy: approval.decidedBy,
    decidedAt: approval.decidedAtMs === null ? null : new Date(approval.decidedAtMs).toISOString(),
    reason: approval.reason,
  };
}

const updatedAt = ({ updated_at, live }: ShownMission): Date =>
  live !== null && live.heard_at > updated_at ? live.heard_at : updated_at;

function causeOf(code: NonNullable<MissionRow['cause_code']>, row: MissionRow) {
  const { cause_dock_result: dockResult } = row;
  const { execute } = row.verdicts;
  // What held it back at the end, or holds it back now.
  const failed = HELD_BY_PREFLIGHT.has(code) && execute?.verdict === 'no_go' ? execute.failed : [];
  return {
    code,
    text: CAUSES[code],
    ...(dockResult === null ? {} : { dockResult, dockError: dockErrorOf(dockResult) }),
    ...(failed.length === 0 ? {} : { failedRules: failed }),
    /** Whether it is over, or may still change. */
    final: isOutcome(row.state),
    ...(isOutcome(row.state) ? endOf(code, dockResult) : {}),
  };
}

/** By whom it ended, and whether it can go on from where it stopped. */
function endOf(code: NonNullable<MissionRow['cause_code']>, dockResult: number | null) {
  const endedBy = enderOf({ code, ...(dockResult === null ? {} : { dockResult }) });
  return { endedBy, resumable: dockResult !== null && canBeResumed(dockResult) };
}

const HELD_BY_PREFLIGHT: ReadonlySet<string> = new Set([
  'preflight_no_go',
  'dock_offline',
  'dock_busy',
  'dock_cut_off',
  'dock_fault',
  'dock_unknown_state',
]);

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
