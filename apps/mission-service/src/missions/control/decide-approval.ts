import { type Principal, keyMakersQuestion } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges, versionsOf } from '@aerie/http-api';
import { ConflictError, ForbiddenError, InvalidError } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';
import { isApproved } from '@aerie/mission-core';
import { type ApiDatabase, type OrganisationRows, inTransaction } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { BY_POLICY, callerIdOf } from '../caller-id.js';
import { type Advanced, advance } from '../advance-mission.js';
import type { AfterCommit } from '../downlink/after-commit.js';
import type { StoredApproval } from '../store/approval-column.js';
import { isReached } from '../store/is-reached.js';
import { lockMission } from '../store/flight-critical.js';
import { type LockedMission, type MissionRow, missionOf } from '../store/mission.row.js';
import { type MissionView, viewOf } from '../views/mission.view.js';
import { unknownMission } from '../views/unknown-mission.js';
import { insteadOf } from './controls.js';

export interface ApprovalDecision {
  readonly reason: string | null;
  readonly version: ExpectedVersion;
}

/** Who has a part in the plan of a mission, as it was read before the mission is locked. */
interface Planners {
  readonly revision: number;
  /** Of those who planned it and moved it last, who is the person that decides, or a key behind which that person is. */
  readonly own: readonly string[];
}

const PERSON = 'person:';
/** Far above how often a policy may let a flight go on by itself. */
const MOST_RESUMED = 100;

/**
 * A person approves what another one has planned, or refuses it. Whoever planned the mission or moved it last approves
 * nothing, also not through a key; a key approves nothing at all. To refuse only ends a mission, so everybody with the
 * permission may.
 */
export class DecideApproval {
  constructor(
    private readonly database: ApiDatabase,
    private readonly connection: NatsConnection,
    private readonly afterCommit: AfterCommit,
  ) {}

  /** An approval is for what the person has read: the version must be named. A repeat by the same person is harmless. */
  async approve(caller: Principal, id: string, decision: ApprovalDecision): Promise<MissionView> {
    const { personId } = caller;
    const own = this.database.of(caller);
    const planned = await readPlanned(own, caller, id);
    if (personId === undefined) throw notAPerson();
    if (versionsOf(decision.version)?.length !== 1) throw versionMissing();
    const planners = await this.plannersOf(planned, caller.organisationId, personId);
    const { found, advanced } = await inTransaction(own, async (tx) => {
      const found = await lockOwn(tx, caller, id);
      if (isDecidedBy(found, caller, 'approved')) return { found, advanced: null };
      checkVersion(decision.version, found.revision);
      // Planned or moved by somebody else since they were looked at.
      checkVersion(planners.revision, found.revision);
      if (found.state === 'awaiting_approval' && planners.own.length > 0) throw ownPlan(planners, callerIdOf(caller));
      const wish = { by: callerIdOf(caller), reason: decision.reason };
      const advanced = await advance(tx, found, { type: 'approvalGiven' }, { wish });
      if (advanced.decision.kind !== 'refused') await recordChanges(tx, SCHEMA, [{ caller }]);
      return { found, advanced };
    });
    return this.settle(found, advanced);
  }

  async refuse(caller: Principal, id: string, { reason, version }: ApprovalDecision): Promise<MissionView> {
    const { found, advanced } = await inTransaction(this.database.of(caller), async (tx) => {
      const found = await lockOwn(tx, caller, id);
      if (isDecidedBy(found, caller, 'refused')) return { found, advanced: null };
      checkVersion(version, found.revision);
      const wish = { by: callerIdOf(caller), reason };
      const advanced = await advance(tx, found, { type: 'approvalRefused' }, { wish });
      if (advanced.decision.kind !== 'refused') await recordChanges(tx, SCHEMA, [{ caller }]);
      return { found, advanced };
    });
    return this.settle(found, advanced);
  }

  private settle(found: LockedMission, advanced: Advanced | null): MissionView {
    if (advanced === null) return viewOf(found);
    if (advanced.decision.kind === 'refused') throw notAwaited(found, advanced.decision.reason);
    this.afterCommit.run(advanced);
    return viewOf(advanced.mission);
  }

  /** Before any row is locked: fleet-service says which people are behind keys. Without its answer nothing is approved. */
  private async plannersOf(
    { revision, created_by: createdBy, resumed_by: resumedBy, approval }: PlannedRow,
    organisationId: string,
    personId: string,
  ): Promise<Planners> {
    const callers = [createdBy, ...resumedBy, ...(approval?.changedBy == null ? [] : [approval.changedBy])];
    const keyIds = [...new Set(callers.filter((caller) => !caller.startsWith(PERSON) && caller !== BY_POLICY))];
    const { keys } =
      keyIds.length === 0 ? { keys: [] } : await ask(this.connection, keyMakersQuestion, { organisationId, keyIds });
    const unknown = keyIds.find((id) => !keys.some(({ keyId }) => keyId === id));
    if (unknown !== undefined) throw plannerUnknown(unknown);
    const keysOfCaller = keys.filter(({ personIds }) => personIds.includes(personId)).map(({ keyId }) => keyId);
    const isOwn = (caller: string): boolean => caller === PERSON + personId || keysOfCaller.includes(caller);
    return { revision, own: callers.filter(isOwn) };
  }
}

interface PlannedRow extends Pick<MissionRow, 'revision' | 'created_by' | 'approval'> {
  /** Who planned the flight with which this one goes on by itself. */
  readonly resumed_by: readonly string[];
}

async function readPlanned(own: OrganisationRows, caller: Principal, id: string): Promise<PlannedRow> {
  const [mission] = await own.query<PlannedRow & Pick<MissionRow, 'organisation_id' | 'dock_sn'>>(
    `WITH RECURSIVE before AS (
       SELECT id, resumed_from, created_by, 1 AS depth FROM mission.mission WHERE id = $1 AND organisation_id = $2
        UNION ALL
       SELECT b.id, b.resumed_from, b.created_by, depth + 1 FROM before
         JOIN mission.mission b ON b.id = before.resumed_from AND b.organisation_id = $2
        WHERE before.created_by = $3 AND depth < $4)
     SELECT revision, created_by, approval, organisation_id, dock_sn,
            ARRAY(SELECT created_by FROM before WHERE created_by <> $3) AS resumed_by
       FROM mission.mission WHERE id = $1 AND organisation_id = $2`,
    [id, caller.organisationId, BY_POLICY, MOST_RESUMED],
  );
  if (mission === undefined || !isReached(caller, mission)) throw unknownMission(id);
  return mission;
}

async function lockOwn(tx: Parameters<typeof lockMission>[0], caller: Principal, id: string): Promise<LockedMission> {
  const locked = await lockMission(tx, id, null);
  if (locked === undefined || !isReached(caller, locked)) throw unknownMission(id);
  return locked;
}

/** The same person asks again for what was decided about the plan as it is. */
function isDecidedBy(mission: LockedMission, caller: Principal, decision: 'approved' | 'refused'): boolean {
  const { approval, cause_code: cause } = mission;
  if (approval?.decidedBy !== callerIdOf(caller)) return false;
  return decision === 'refused' ? cause === 'approval_refused' : isApproved(missionOf(mission));
}

function notAPerson(): ForbiddenError {
  const message = 'a key approves nothing: a person signs in (POST /api/v1/sessions) and approves the mission';
  return new ForbiddenError('approver_not_a_person', message);
}

function ownPlan({ own: [first = ''] }: Planners, personId: string): ForbiddenError {
  const how = first === personId ? 'you planned this mission, or moved it last' : `you are behind the key ${first}`;
  const message = `${how}; another person has to approve it`;
  return new ForbiddenError('approver_has_planned', message, { details: { plannedBy: first } });
}

function plannerUnknown(keyId: string): ConflictError {
  const message = `nobody can say which people are behind the key ${keyId}; cancel this mission and plan it anew`;
  return new ConflictError('planner_unknown', message, { details: { plannedBy: keyId } });
}

function versionMissing(): InvalidError {
  const message = 'must name one version: an approval is for the version that you have read; send its ETag';
  return new InvalidError('invalid_input', 'the request does not name the version', {
    fields: [{ field: 'If-Match', message }],
  });
}

function notAwaited(mission: LockedMission, why: string): ConflictError {
  const { state, approval } = mission;
  const { advice, details } = insteadOf(mission);
  const because =
    state === 'awaiting_approval'
      ? `${why}: move it to another time, or plan it anew`
      : approval === null
        ? `this mission needs no approval, it is ${state}: ${advice}`
        : `the mission is ${state}${decidedText(approval)}, so there is nothing to approve: ${advice}`;
  return new ConflictError('mission_state', because, {
    fields: [{ field: 'id', message: because }],
    details: { state, ...details },
  });
}

const decidedText = ({ decidedBy }: StoredApproval): string => (decidedBy === null ? '' : `, decided by ${decidedBy}`);
