import { unknownWayline } from '../../waylines/unknown-wayline.js';
import { pastMessage, unknownDock } from '@aerie/http-api';
import { randomUUID } from 'node:crypto';
import type { DockRecord, Principal } from '@aerie/bus-contract';
import { ConflictError, InvalidError } from '@aerie/kernel';
import { type PreflightResult, type Timing, occupiedSpan, planMission } from '@aerie/mission-core';
import { type ApiDatabase, type Reach, reachesDock } from '@aerie/persistence';
import { callerIdOf } from '../caller-id.js';
import { profileFrom } from '../dji/dock-profiles.js';
import { asReported } from '../dji/dock-profiles.js';
import { checkFitsDock, deliveryOf } from '../dji/fits-dock.js';
import type { RouteShapes } from '../../waylines/route-shapes.js';
import { type PolicyStore, approvalNeeded } from '../store/policy.store.js';
import { judgeDock } from '../preflight/judge-dock.js';
import { positionOf, wayToRoute } from '../preflight/way-to-route.js';
import { type Holder, findHolders } from '../store/dock-reservations.js';
import { earliestExecuteAt } from './conflicts.js';
import type { LookUp, PlannedWayline } from './look-up.js';
import type { NewMission, Origin, PlannedMission, WaylineFacts } from './new-mission.js';

export interface PlanMissionParts {
  readonly database: ApiDatabase;
  readonly lookUp: LookUp;
  readonly policies: PolicyStore;
  readonly routes: RouteShapes;
  /** Rules of time where a mission says nothing else. */
  readonly timing: Timing;
}

/** Who else has the dock at the time of a mission, and when it has room for it. */
export interface Conflicts {
  readonly holders: readonly Holder[];
  readonly earliestExecuteAt: Date | null;
}

/** Thinks a mission through without writing anything: does it fit its dock and its wayline, and may it fly now. */
export class PlanMission {
  constructor(private readonly parts: PlanMissionParts) {}

  async plan(caller: Principal, input: NewMission, origin: Origin | null): Promise<PlannedMission> {
    const record = await this.findDock(caller, input.dockSn);
    const dock = asReported(record);
    const profile = profileFrom(dock.model, dock.protocolGeneration);
    checkFitsDock(input, origin !== null, profile);
    const { wayline, nowMs } = await this.findWayline(caller, input.waylineId);
    // A flight that goes on was planned before.
    if (wayline.archived_at !== null && origin === null) throw archivedWayline(wayline);
    checkFitsWayline(input, wayline);
    if (input.executeAtMs !== null && input.executeAtMs <= nowMs)
      throw inThePast('executeAt', input.executeAtMs, nowMs);
    if (input.window !== null && input.window.untilMs <= nowMs)
      throw inThePast('window.until', input.window.untilMs, nowMs);
    const timing: Timing = { ...this.parts.timing, ...input.timing };
    const [shapes, policy] = await Promise.all([
      this.shapesOf(caller.organisationId, wayline.id),
      this.parts.policies.of(caller.organisationId),
    ]);
    // A simulated aircraft pretends to take off where it is told.
    const way = wayToRoute(shapes.get(wayline.id), input.simulate ?? dock.position ?? null);
    return {
      id: randomUUID(),
      organisationId: caller.organisationId,
      by: callerIdOf(caller),
      dock,
      record,
      wayline,
      input,
      timing,
      origin,
      plan: planMission(
        {
          kind: input.kind,
          delivery: deliveryOf(profile),
          plannedDurationMs: way?.durationMs ?? wayline.planned_duration_ms,
          approval: approvalNeeded(policy.approval, 'caller'),
          ...(input.executeAtMs === null ? {} : { executeAtMs: input.executeAtMs }),
          ...(input.window === null ? {} : { readyFromMs: input.window.fromMs, readyUntilMs: input.window.untilMs }),
        },
        nowMs,
        timing,
      ),
    };
  }

  /**
   * Go or no-go as it would be now; for a mission that starts later it says what to look at until then. Refuses a route
   * that was made for another aircraft: waiting does not help it.
   */
  async preflight(mission: PlannedMission): Promise<PreflightResult> {
    const { input, wayline, plan, origin, organisationId, dock, record } = mission;
    const { lookUp } = this.parts;
    const [view, now, policy, shapes] = await Promise.all([
      // Planning does not depend on what the dock does now: without an answer the verdict says that nobody knows.
      lookUp.view(input.dockSn),
      lookUp.dock(organisationId, input.dockSn),
      this.parts.policies.of(organisationId),
      this.shapesOf(organisationId, wayline.id),
    ]);
    const { aircraft_model_key, names_sub_type, payload_model_keys } = wayline;
    const wish = {
      ...{ model: dock.model, aircraft_model_key, names_sub_type, payload_model_keys },
      kind: input.kind,
      simulate: input.simulate,
      positioning: input.positioning,
      planned_duration_ms: plan.plannedDurationMs,
      storage_needed_megabytes: input.storageNeededMegabytes,
      auto_resume_count: origin?.autoResumeCount ?? 0,
    };
    const { heardAgoMs, unresolved, exportsLogs, cutOff } = now;
    const way = wayToRoute(shapes.get(wayline.id), positionOf(view, record?.position));
    const around = {
      view,
      record,
      heardAgoMs,
      blockedBy: unresolved,
      exportsLogs,
      cutOff,
      getsReadyForThis: false,
      way,
    };
    const result = judgeDock('plan', wish, around, policy.preflight);
    checkFitsAircraft(result);
    return result;
  }

  /** Who else has the dock at that time. Reads only; the insert looks again, with the dock locked. */
  async conflicts(reach: Reach, { plan, dock, timing }: PlannedMission): Promise<Conflicts> {
    const span = occupiedSpan(plan, plan.sinceMs, timing);
    if (span === null) return { holders: [], earliestExecuteAt: null };
    const own = this.parts.database.of(reach);
    const found = await findHolders(own, dock.sn, span, null);
    const holders = found.filter(({ gives_way }) => !gives_way);
    if (holders.length === 0) return { holders, earliestExecuteAt: null };
    const { plannedDurationMs, executeAtMs } = plan;
    const wish = { missionId: null, dockSn: dock.sn, plannedDurationMs, executeAtMs, timing };
    return { holders, earliestExecuteAt: await earliestExecuteAt(own, wish, plan.sinceMs) };
  }

  private async findDock(caller: Principal, dockSn: string): Promise<DockRecord> {
    const dock = await this.parts.lookUp.record(dockSn);
    if (dock === null || dock.organisationId !== caller.organisationId || !reachesDock(caller, dock.sn))
      throw unknownDock('dockSn', dockSn);
    return dock;
  }

  private async findWayline(caller: Principal, id: string): Promise<{ wayline: PlannedWayline; nowMs: number }> {
    const wayline = await this.parts.lookUp.wayline(caller.organisationId, id);
    if (wayline === null) throw unknownWayline('waylineId', id);
    return { wayline, nowMs: wayline.now.getTime() };
  }

  private shapesOf(organisationId: string, waylineId: string) {
    return this.parts.routes.through(this.parts.database.of(organisationId)).of([waylineId]);
  }
}

function archivedWayline({ id, name, archived_at }: PlannedWayline): ConflictError {
  const message =
    `${id} (${name}) has been archived since ${archived_at?.toISOString()}; choose another wayline, ` +
    `or take it back with PATCH /api/v1/waylines/${id} {"archived": false}`;
  return new ConflictError('wayline_archived', 'an archived wayline cannot be planned', {
    fields: [{ field: 'waylineId', message }],
  });
}

function checkFitsWayline(input: NewMission, wayline: WaylineFacts): void {
  const exitOnRcLost = input.exitOnRcLost ?? wayline.exit_on_rc_lost;
  if (exitOnRcLost === wayline.exit_on_rc_lost) return;
  const message = `the wayline's file says ${wayline.exit_on_rc_lost}; both must agree`;
  throw new InvalidError('invalid_input', 'the mission does not fit its wayline', {
    fields: [{ field: 'exitOnRcLost', message }],
  });
}

function checkFitsAircraft({ rules }: PreflightResult): void {
  const other = rules.find(({ rule, verdict }) => rule === 'aircraft_model' && verdict === 'no_go');
  if (other === undefined) return;
  throw new InvalidError('other_aircraft', 'the route was made for another aircraft than the dock has', {
    fields: [{ field: 'waylineId', message: other.message }],
    details: { routeFor: other.limit, dockHas: other.input },
  });
}

export function inThePast(field: string, atMs: number, nowMs: number): InvalidError {
  return new InvalidError('invalid_input', 'the body is not valid', {
    fields: [{ field, message: pastMessage(atMs, nowMs) }],
  });
}
