import { type Principal, factSubject } from '@aerie/bus-contract';
import { recordChanges } from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import { type Mission, type PreflightResult, type Span, occupiedSpan } from '@aerie/mission-core';
import { type OpenSpan, isTracing } from '@aerie/observability';
import type { Tx } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { type AskedBy, askedNow, traceAccepted } from '../downlink/decision-traces.js';
import { type Holder, findHoldersOf } from '../store/dock-reservations.js';
import { keepDocks } from '../store/flight-critical.js';
import { type NewMissionRow, type NewRows, insertMissions as insertRows } from '../store/insert-missions.js';
import { type LockedMission, dateOf } from '../store/mission.row.js';
import { timingColumn } from '../store/timing-column.js';
import { approvalColumn } from '../store/approval-column.js';
import { verdictsOf } from '../store/preflights.js';
import { makeWay } from './clear-the-way.js';
import { dockTaken, earliestExecuteAt } from './conflicts.js';
import type { PlannedMission } from './new-mission.js';

/** Refusals of one list that name a time with room: each is a look of its own, while all docks of the list are locked. */
const MOST_ADVISED = 20;

export interface ToInsert {
  readonly planned: PlannedMission;
  /** Null: it was not judged. */
  readonly preflight: PreflightResult | null;
  /** Undefined: what is done now asks for it. */
  readonly asked?: AskedBy;
  /** Undefined: the engine makes it by itself. */
  readonly caller?: Principal;
}

/**
 * Writes missions with their reservations of docks, their first timeline entries and the facts for others. For each the
 * mission, or a ConflictError that names the other one when its dock is taken at that time, also by one before it in this
 * list; of that one nothing is written. The traces of those that are written begin after the commit; `request` leads to them.
 */
export async function insertMissions(
  tx: Tx,
  missions: readonly ToInsert[],
  request?: OpenSpan,
): Promise<readonly (LockedMission | ConflictError)[]> {
  const wanted = missions.map(({ planned }) => ({
    planned,
    span: occupiedSpan(planned.plan, planned.plan.sinceMs, planned.timing),
  }));
  const [, found] = await Promise.all([
    // From here on the plans of these docks are ours alone.
    keepDocks(
      tx,
      missions.map(({ planned: { dock, organisationId } }) => ({ ...dock, organisationId })),
    ),
    findHoldersOf(
      tx,
      wanted.flatMap(({ planned, span }) => (span === null ? [] : [{ id: planned.id, dockSn: planned.dock.sn, span }])),
    ),
  ]);
  const taken = new Map<string, readonly Holder[]>();
  const rows: NewRows[] = [];
  for (const [index, { planned, span }] of wanted.entries()) {
    const holders = span === null ? [] : [...(found.get(planned.id) ?? []), ...amongThese(rows, planned, span)];
    const blocking = holders.filter(({ gives_way }) => !gives_way);
    if (blocking.length > 0) {
      taken.set(planned.id, blocking);
      continue;
    }
    if (span !== null) await makeWay(tx, claimantOf(planned), span, holders);
    rows.push(rowsOf(planned, span, missions[index]?.preflight ?? null));
  }
  // Sent together: the audit costs no round trip.
  const [inserted] = await Promise.all([
    insertRows(tx, rows),
    recordChanges(
      tx,
      SCHEMA,
      missions.flatMap(({ planned: { id }, caller }) =>
        caller === undefined || taken.has(id) ? [] : [{ caller, resources: { missionId: id } }],
      ),
    ),
  ]);
  const written = new Map(inserted.map((row) => [row.id, row]));
  if (isTracing()) tx.afterCommit(() => traceAll(missions, written, request));
  const results: (LockedMission | ConflictError)[] = [];
  // What is refused is told of a time at which there is room, also beside those that were written just now.
  let refused = 0;
  for (const { planned } of wanted) {
    const row = written.get(planned.id);
    results.push(row ?? (await refusal(tx, planned, taken, refused++ < MOST_ADVISED)));
  }
  return results;
}

function traceAll(
  missions: readonly ToInsert[],
  written: ReadonlyMap<string, LockedMission>,
  request: OpenSpan | undefined,
): void {
  for (const { planned, asked = askedNow() } of missions) {
    const row = written.get(planned.id);
    const first = row && traceAccepted(row, asked);
    if (first !== undefined) request?.link(first);
  }
}

/** One mission. Throws ConflictError when its dock is taken; then nothing of it stands. */
export async function insertMission(
  tx: Tx,
  planned: PlannedMission,
  preflight: PreflightResult | null,
): Promise<LockedMission> {
  const [result] = await insertMissions(tx, [{ planned, preflight }]);
  if (result === undefined) throw new Error('a mission vanished in its own transaction');
  if (result instanceof ConflictError) throw result;
  return result;
}

const claimantOf = ({ id, organisationId, dock }: PlannedMission) => ({ id, organisationId, dockSn: dock.sn });

/** Those of the same list that have the dock at that time. */
function amongThese(rows: readonly NewRows[], { dock }: PlannedMission, { fromMs, untilMs }: Span): Holder[] {
  return rows.flatMap(({ mission, span }) =>
    span !== null && mission.dock_sn === dock.sn && span.fromMs < untilMs && fromMs < span.untilMs
      ? [
          {
            ...{ holder_kind: 'mission' as const, holder_id: mission.id, gives_way: false },
            ...{ from_at: new Date(span.fromMs), until_at: new Date(span.untilMs) },
            ...{ name: mission.name, state: mission.state },
          },
        ]
      : [],
  );
}

async function refusal(
  tx: Tx,
  { id, dock, plan, timing }: PlannedMission,
  taken: ReadonlyMap<string, readonly Holder[]>,
  isAdvised: boolean,
): Promise<ConflictError> {
  const holders = taken.get(id);
  if (holders === undefined) throw new Error('a mission vanished in its own transaction');
  const { executeAtMs, plannedDurationMs } = plan;
  const wish = { missionId: null, dockSn: dock.sn, plannedDurationMs, executeAtMs, timing };
  const earliest = isAdvised ? await earliestExecuteAt(tx, wish, plan.sinceMs) : null;
  return dockTaken(holders, executeAtMs === null ? 'dockSn' : 'executeAt', earliest);
}

function rowsOf(planned: PlannedMission, span: Span | null, preflight: PreflightResult | null): NewRows {
  const { id, organisationId, dock, plan, timing, by, origin } = planned;
  const at = new Date(plan.sinceMs);
  return {
    mission: missionRowOf(planned, preflight),
    span,
    preflight: preflight === null ? null : { result: preflight, at },
    entry: {
      missionId: id,
      kind: 'note',
      what: 'created',
      toState: plan.state,
      revision: plan.revision,
      detail: {
        plan: toldPlan(plan),
        timing,
        by,
        resumedFrom: origin?.missionId ?? null,
        preflight: preflight?.verdict ?? null,
      },
    },
    fact: {
      subject: factSubject('mission', organisationId, 'created'),
      payload: { missionId: id, dockSn: dock.sn, kind: plan.kind, executeAt: dateOf(plan.executeAtMs) },
    },
  };
}

/** Most missions need no approval: what each of them would say of it is left out. */
function toldPlan(plan: Mission): Partial<Mission> {
  const { approval, ...rest } = plan;
  return approval === null ? rest : plan;
}

function missionRowOf(planned: PlannedMission, preflight: PreflightResult | null): NewMissionRow {
  const { plan, input, wayline, origin, timing } = planned;
  const at = new Date(plan.sinceMs);
  return {
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
    since: at,
    next_action_at: dateOf(plan.nextActionAtMs),
    planned_duration_ms: plan.plannedDurationMs,
    timing: timingColumn(timing),
    battery_above_percent: input.window?.batteryAbovePercent ?? null,
    storage_needed_megabytes: input.storageNeededMegabytes,
    simulate: input.simulate,
    flight_area_check: input.flightAreaCheck,
    break_point: origin?.breakPoint ?? null,
    resumed_from: origin?.missionId ?? null,
    auto_resume_count: origin?.autoResumeCount ?? 0,
    approval: approvalColumn(plan.approval),
    verdicts: preflight === null ? {} : verdictsOf({ stage: 'plan', result: preflight, at }),
    rth_altitude_meters: input.rthAltitudeMeters,
    exit_on_rc_lost: input.exitOnRcLost ?? wayline.exit_on_rc_lost,
    positioning: input.positioning,
    created_by: planned.by,
  };
}
