import type { Principal } from '@aerie/bus-contract';
import type { StoredAnswer } from '@aerie/http-api';
import { ConflictError, InvalidError } from '@aerie/kernel';
import { isOutcome } from '@aerie/mission-core';
import type { ApiDatabase } from '@aerie/persistence';
import { isReached } from '../store/is-reached.js';
import { unknownMission } from '../views/unknown-mission.js';
import type { CreateMission, CreateRequest } from '../planning/create-mission.js';
import type { NewMission } from '../planning/new-mission.js';
import { type BreakPointRow, findBreakPoints } from '../store/breakpoints.js';
import type { MissionRow } from '../store/mission.row.js';
import { isResumable } from '../dji/resumable.js';

export interface ResumeWish {
  /** Null: where it stopped last. */
  readonly breakPointId: string | null;
  /** Null: now. */
  readonly executeAtMs: number | null;
  readonly name: string | null;
  /** Null: as before. On the way to the breakpoint it replaces the safe height of the wayline's file. */
  readonly rthAltitudeMeters: number | null;
}

/** Makes a new mission that goes on where another one stopped, with the same wayline on the same dock. */
export class ResumeMission {
  constructor(
    private readonly database: ApiDatabase,
    private readonly createMission: CreateMission,
  ) {}

  async execute(caller: Principal, id: string, wish: ResumeWish, request: CreateRequest): Promise<StoredAnswer> {
    const own = this.database.of(caller);
    const [mission] = await own.query<MissionRow & { readonly detail_pruned_at: Date | null }>(
      'SELECT * FROM mission.mission WHERE organisation_id = $1 AND id = $2',
      [caller.organisationId, id],
    );
    if (mission === undefined || !isReached(caller, mission)) throw unknownMission(id);
    if (!isOutcome(mission.state)) throw stillRuns(mission);
    const points = await findBreakPoints(own, id);
    const { point } = choose(points, wish.breakPointId, mission.detail_pruned_at);
    const origin = { missionId: id, breakPoint: point, autoResumeCount: 0 };
    return this.createMission.execute(caller, resumedFrom(mission, wish), request, origin);
  }
}

/** The new mission: like the old one, at another time. */
export function resumedFrom(mission: MissionRow, wish: Omit<ResumeWish, 'breakPointId'>): NewMission {
  return {
    dockSn: mission.dock_sn,
    waylineId: mission.wayline_id,
    kind: wish.executeAtMs === null ? 'immediate' : 'timed',
    executeAtMs: wish.executeAtMs,
    window: null,
    rthAltitudeMeters: wish.rthAltitudeMeters ?? mission.rth_altitude_meters,
    exitOnRcLost: mission.exit_on_rc_lost,
    positioning: mission.positioning,
    name: wish.name ?? mission.name,
    simulate: mission.simulate,
    storageNeededMegabytes: mission.storage_needed_megabytes,
    flightAreaCheck: mission.flight_area_check,
    timing: mission.timing,
  };
}

function choose(points: readonly BreakPointRow[], wanted: string | null, prunedAt: Date | null): BreakPointRow {
  const usable = points.filter(({ point }) => isResumable(point));
  const chosen = wanted === null ? usable.at(-1) : usable.find(({ id }) => id === wanted);
  if (chosen !== undefined) return chosen;
  const field = wanted === null ? 'id' : 'breakPointId';
  const message =
    usable.length === 0
      ? `${prunedAt === null ? 'its dock reported no place at which it could go on' : `no place at which it could go on is left: its detail was deleted by retention at ${prunedAt.toISOString()}`}; plan it anew from its beginning`
      : `is none of this mission's breakpoints; they are ${usable.map(({ id }) => id).join(', ')}`;
  throw wanted === null || usable.length === 0
    ? new ConflictError('no_breakpoint', message, { fields: [{ field, message }] })
    : new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field, message }] });
}

function stillRuns({ state }: MissionRow): ConflictError {
  const message = `the mission is ${state}; only one that has ended can be resumed by a new one: wait until it has ended, or ask its flight to end`;
  return new ConflictError('mission_state', message, { fields: [{ field: 'id', message }], details: { state } });
}
