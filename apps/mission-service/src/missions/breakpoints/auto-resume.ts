import { randomUUID } from 'node:crypto';
import { ConflictError } from '@aerie/kernel';
import { type ApprovalWish, type Timing, isOutcome, planMission } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { BY_POLICY } from '../caller-id.js';
import type { Advanced } from '../advance-mission.js';
import type { PlannedMission } from '../planning/new-mission.js';
import { type AutoResumePolicy, type PolicyStore, approvalNeeded } from '../store/policy.store.js';
import { type BreakPointRow, findBreakPoints } from '../store/breakpoints.js';
import { insertMission } from '../planning/insert-missions.js';
import { type LockedMission } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';
import { writeTimeline } from '../store/timeline.js';
import { isResumable } from '../dji/resumable.js';
import { resumedFrom } from './resume-mission.js';

/** A dock is told of a mission at least this long before it starts. */
const EARLIEST_MS = 60_000;

/**
 * Goes on by itself with a flight that stopped for a reason which the organisation has named. The new mission is
 * planned in the transaction in which the old one ends, so that a crash loses neither or both.
 */
export class AutoResume {
  constructor(private readonly policies: PolicyStore) {}

  async after(tx: Tx, before: LockedMission, { mission }: Advanced): Promise<void> {
    if (isOutcome(before.state) || !isOutcome(mission.state) || mission.state === 'succeeded') return;
    const { autoResume, approval } = await this.policies.within(tx, mission.organisation_id);
    if (mission.auto_resume_count >= autoResume.atMost) return;
    const last = (await findBreakPoints(tx, mission.id)).at(-1);
    if (last === undefined || !mayResume(last, autoResume) || !explainsTheEnd(last, mission)) return;
    const planned = planResumed(mission, last, autoResume.afterMs, approvalNeeded(approval, 'policy'));
    try {
      const { id } = await insertMission(tx, planned, null);
      await writeTimeline(tx, [
        { missionId: mission.id, kind: 'note', what: 'autoResumed', detail: { by: id, breakReason: last.reason } },
      ]);
    } catch (error) {
      // It throws before it writes: the transaction is whole.
      if (!(error instanceof ConflictError)) throw error;
      const detail = { reason: error.message, ...error.details };
      await writeTimeline(tx, [{ missionId: mission.id, kind: 'note', what: 'autoResumeRefused', detail }]);
    }
  }
}

const mayResume = ({ point, reason }: BreakPointRow, policy: AutoResumePolicy): boolean =>
  isResumable(point) && reason !== null && policy.onBreakReasons.includes(reason);

/** [Cloud API] The result of a flight that stopped is 321000 plus its break reason. An earlier pause did not end it. */
const explainsTheEnd = ({ reason }: BreakPointRow, mission: LockedMission): boolean =>
  reason !== null && mission.cause_dock_result === 321_000 + reason;

function planResumed(
  mission: LockedMission,
  { point }: BreakPointRow,
  afterMs: number,
  approval: ApprovalWish | null,
): PlannedMission {
  const timing: Timing = timingOf(mission);
  const nowMs = mission.now.getTime();
  const executeAtMs = nowMs + Math.max(EARLIEST_MS, afterMs);
  const input = resumedFrom(mission, { executeAtMs, name: null, rthAltitudeMeters: null });
  return {
    id: randomUUID(),
    organisationId: mission.organisation_id,
    by: BY_POLICY,
    dock: { sn: mission.dock_sn, model: mission.model, protocolGeneration: mission.protocol_generation },
    wayline: {
      id: mission.wayline_id,
      name: mission.name,
      exit_on_rc_lost: mission.exit_on_rc_lost,
      planned_duration_ms: mission.planned_duration_ms,
      aircraft_model_key: mission.aircraft_model_key,
      names_sub_type: mission.names_sub_type,
      payload_model_keys: mission.payload_model_keys,
    },
    input,
    timing,
    origin: { missionId: mission.id, breakPoint: point, autoResumeCount: mission.auto_resume_count + 1 },
    plan: planMission(
      {
        ...{ kind: 'timed', delivery: mission.delivery, plannedDurationMs: mission.planned_duration_ms, executeAtMs },
        approval,
      },
      nowMs,
      timing,
    ),
  };
}
