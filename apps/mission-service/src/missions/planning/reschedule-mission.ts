import type { Principal } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges } from '@aerie/http-api';
import { ConflictError, InvalidError } from '@aerie/kernel';
import { occupiedSpan, planAnew } from '@aerie/mission-core';
import { type ApiDatabase, inTransaction, reachesDock } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { callerIdOf } from '../caller-id.js';
import { advance } from '../advance-mission.js';
import { isReached } from '../store/is-reached.js';
import { unknownMission } from '../views/unknown-mission.js';
import { insteadOf } from '../control/controls.js';
import type { ObserveDock } from '../downlink/observe-dock.js';
import type { AfterCommit } from '../downlink/after-commit.js';
import { reserveDock } from '../store/dock-reservations.js';
import { lockMission } from '../store/flight-critical.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';
import { type MissionView, viewOf } from '../views/mission.view.js';
import { clearTheWay } from './clear-the-way.js';
import { dockTaken, earliestExecuteAt } from './conflicts.js';
import { inThePast } from './plan-mission.js';

/** Moves a timed mission to another time, with all checks of a new one. A dock that holds it already gets it again. */
export class RescheduleMission {
  constructor(
    private readonly database: ApiDatabase,
    private readonly afterCommit: AfterCommit,
    private readonly observeDock: Pick<ObserveDock, 'records'>,
  ) {}

  async execute(caller: Principal, id: string, executeAtMs: number, version: ExpectedVersion): Promise<MissionView> {
    await this.checkInService(caller, id);
    const advanced = await inTransaction(this.database.of(caller), async (tx) => {
      const locked = await lockMission(tx, id, null);
      if (locked === undefined || !isReached(caller, locked)) throw unknownMission(id);
      checkVersion(version, locked.revision);
      if (locked.kind !== 'timed') throw notTimed(locked.kind);
      const nowMs = locked.now.getTime();
      if (executeAtMs <= nowMs) throw inThePast('executeAt', executeAtMs, nowMs);
      const timing = timingOf(locked);
      const plan = planAnew(executeAtMs, nowMs, timing);
      const span = occupiedSpan({ ...missionOf(locked), ...plan }, nowMs, timing);
      const event = { type: 'rescheduled', ...plan } as const;
      const done = await advance(tx, locked, event, { wish: { by: callerIdOf(caller), reason: null } });
      if (done.decision.kind === 'refused') return done;
      await recordChanges(tx, SCHEMA, [{ caller }]);
      if (span === null) return done;
      // Only now: a mission that stays as it is takes no dock from anybody.
      const claimant = { id, organisationId: caller.organisationId, dockSn: locked.dock_sn };
      const holders = await clearTheWay(tx, claimant, span);
      if (holders.length > 0) {
        const { dock_sn: dockSn, planned_duration_ms: plannedDurationMs } = locked;
        const wish = { missionId: id, dockSn, plannedDurationMs, executeAtMs, timing };
        throw dockTaken(holders, 'executeAt', await earliestExecuteAt(tx, wish, nowMs));
      }
      await reserveDock(tx, id, locked.dock_sn, span);
      return done;
    });
    // Outside of the transaction, so that the refusal stays in the timeline.
    if (advanced.decision.kind === 'refused') throw tooLate(advanced.mission);
    this.afterCommit.run(advanced);
    return viewOf(advanced.mission);
  }

  /** Before any row is locked. A fleet-service that does not answer is no proof: the claim looks again. */
  private async checkInService(caller: Principal, id: string): Promise<void> {
    const [mission] = await this.database
      .of(caller)
      .query<{ dock_sn: string }>(
        `SELECT dock_sn FROM mission.mission WHERE id = $1 AND organisation_id = $2 AND next_action_at IS NOT NULL`,
        [id, caller.organisationId],
      );
    if (mission === undefined || !reachesDock(caller, mission.dock_sn)) return;
    const { dock_sn: dockSn } = mission;
    const records = await this.observeDock.records([dockSn]).catch(() => new Map<string, null>());
    if (records.get(dockSn) === null) throw outOfService(dockSn);
  }
}

function outOfService(dockSn: string): ConflictError {
  const message = `dock ${dockSn} is no longer in service; cancel this mission and plan one on another dock`;
  return new ConflictError('dock_retired', message, { fields: [{ field: 'executeAt', message }] });
}

const notTimed = (kind: string): InvalidError =>
  new InvalidError('not_timed', `a mission that is ${kind} has no time to change`, {
    fields: [
      {
        field: 'executeAt',
        message: `only a timed mission has one, this one is ${kind}; cancel it and plan a new one`,
      },
    ],
  });

function tooLate(mission: LockedMission): ConflictError {
  const { advice, details } = insteadOf(mission);
  const message = `the mission is ${mission.state}, so its time cannot be changed any more: ${advice}`;
  return new ConflictError('mission_state', message, {
    fields: [{ field: 'executeAt', message }],
    details: { state: mission.state, ...details },
  });
}
