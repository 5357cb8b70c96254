import { factSubject } from '@aerie/bus-contract';
import { type PreflightResult, occupiedSpan } from '@aerie/mission-core';
import { type Tx, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { clearTheWay } from './clear-the-way.js';
import { dockTaken, earliestExecuteAt } from './conflicts.js';
import type { PlannedMission } from './new-mission.js';
import { reserveDock } from '../store/dock-reservations.js';
import { keepDock, lockDock, lockMission } from '../store/flight-critical.js';
import { type LockedMission, dateOf } from '../store/mission.row.js';
import { keepPreflights, verdictsOf } from '../store/preflights.js';
import { writeTimeline } from '../store/timeline.js';

/**
 * Writes a mission with its reservation of the dock, its first timeline entry and the fact for others. Throws
 * ConflictError, naming the other mission, when the dock is taken at that time; then nothing of it stands.
 */
export async function insertMission(
  tx: Tx,
  planned: PlannedMission,
  preflight: PreflightResult | null,
): Promise<LockedMission> {
  const { id, organisationId, dock, plan, timing, by, origin } = planned;
  const span = occupiedSpan(plan, plan.sinceMs, timing);
  // Sent together, and worked off in this order: the holders are read under the lock of the dock.
  const [, , holders] = await Promise.all([
    keepDock(tx, organisationId, dock),
    // From here on this dock's plan is ours alone.
    lockDock(tx, dock.sn),
    span === null ? [] : clearTheWay(tx, { id, organisationId, dockSn: dock.sn }, span),
  ]);
  if (holders.length > 0) {
    const { executeAtMs, plannedDurationMs } = plan;
    const wish = { missionId: null, dockSn: dock.sn, plannedDurationMs, executeAtMs, timing };
    const earliest = await earliestExecuteAt(tx, wish, plan.sinceMs);
    throw dockTaken(holders, executeAtMs === null ? 'dockSn' : 'executeAt', earliest);
  }
  const judged =
    preflight === null
      ? []
      : [{ missionId: id, stage: 'plan', result: preflight, at: new Date(plan.sinceMs) } as const];
  const [, , , , , row] = await Promise.all([
    insertRow(tx, planned, preflight),
    span === null ? undefined : reserveDock(tx, id, dock.sn, span),
    keepPreflights(tx, judged),
    writeTimeline(tx, [
      {
        missionId: id,
        kind: 'note',
        what: 'created',
        toState: plan.state,
        revision: plan.revision,
        detail: { plan, timing, by, resumedFrom: origin?.missionId ?? null, preflight: preflight?.verdict ?? null },
      },
    ]),
    writeOutbox(tx, SCHEMA, [
      {
        subject: factSubject('mission', organisationId, 'created'),
        payload: { missionId: id, dockSn: dock.sn, kind: plan.kind, executeAt: dateOf(plan.executeAtMs) },
      },
    ]),
    lockMission(tx, id, dock.sn),
  ]);
  if (row === undefined) throw new Error('a mission vanished in its own transaction');
  return row;
}

async function insertRow(tx: Tx, planned: PlannedMission, preflight: PreflightResult | null): Promise<void> {
  const { plan, input, wayline, origin, timing } = planned;
  const at = new Date(plan.sinceMs);
  const columns: Readonly<Record<string, unknown>> = {
    id: planned.id,
    organisation_id: planned.organisationId,
    dock_sn: planned.dock.sn,
    wayline_id: wayline.id,
    name: input.name ?? wayline.name,
    kind: plan.kind,
    delivery: plan.delivery,
    state: plan.state,
    revision: plan.revision,
    edition: plan.edition,
    execute_at: dateOf(plan.executeAtMs),
    prepare_at: new Date(plan.prepareAtMs),
    deadline: dateOf(plan.deadlineMs),
    ready_from: dateOf(plan.readyFromMs),
    ready_until: dateOf(plan.readyUntilMs),
    prepare_count: 0,
    attempt: 0,
    undo_count: 0,
    since: new Date(plan.sinceMs),
    next_action_at: dateOf(plan.nextActionAtMs),
    planned_duration_ms: plan.plannedDurationMs,
    timing: JSON.stringify(timing),
    battery_above_percent: input.window?.batteryAbovePercent ?? null,
    storage_needed_megabytes: input.storageNeededMegabytes,
    simulate: jsonOf(input.simulate),
    flight_area_check: input.flightAreaCheck,
    break_point: jsonOf(origin?.breakPoint ?? null),
    resumed_from: origin?.missionId ?? null,
    auto_resume_count: origin?.autoResumeCount ?? 0,
    verdicts: JSON.stringify(preflight === null ? {} : verdictsOf({ stage: 'plan', result: preflight, at })),
    rth_altitude_meters: input.rthAltitudeMeters,
    exit_on_rc_lost: input.exitOnRcLost ?? wayline.exit_on_rc_lost,
    positioning: input.positioning,
    created_by: planned.by,
  };
  const names = Object.keys(columns);
  await tx.run(
    `INSERT INTO mission.mission (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(columns),
  );
}

const jsonOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
