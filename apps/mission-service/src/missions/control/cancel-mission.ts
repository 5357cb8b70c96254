import type { Principal } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges } from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import { isOutcome } from '@aerie/mission-core';
import { type ApiDatabase, inTransaction } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { callerIdOf } from '../caller-id.js';
import { advance } from '../advance-mission.js';
import type { AfterCommit } from '../downlink/after-commit.js';
import { lockMission } from '../store/flight-critical.js';
import type { LockedMission } from '../store/mission.row.js';
import { type MissionView, viewOf } from '../views/mission.view.js';
import { isReached } from '../store/is-reached.js';
import { unknownMission } from '../views/unknown-mission.js';
import { insteadOf } from './controls.js';

/** Asks for a cancel. Once a dock holds the mission, the dock is told, and its answer makes it `canceled`. */
export class CancelMission {
  constructor(
    private readonly database: ApiDatabase,
    private readonly afterCommit: AfterCommit,
  ) {}

  async execute(
    caller: Principal,
    id: string,
    { reason, version }: { readonly reason: string | null; readonly version: ExpectedVersion },
  ): Promise<MissionView> {
    const { advanced, found } = await inTransaction(this.database.of(caller), async (tx) => {
      const locked = await lockMission(tx, id, null);
      if (locked === undefined || !isReached(caller, locked)) throw unknownMission(id);
      checkVersion(version, locked.revision);
      const wish = { by: callerIdOf(caller), reason };
      const advanced = await advance(tx, locked, { type: 'cancelRequested' }, { wish });
      if (advanced.decision.kind !== 'refused') await recordChanges(tx, SCHEMA, [{ caller }]);
      return { found: locked, advanced };
    });
    if (advanced.decision.kind === 'refused') throw cannotCancel(found);
    this.afterCommit.run(advanced);
    return viewOf(advanced.mission);
  }
}

/** [Cloud API, cancel task] An undo cannot stop a flight; what can is for a person to choose. */
function cannotCancel(mission: LockedMission): ConflictError {
  const { state } = mission;
  const { advice, details } = insteadOf(mission);
  const message = isOutcome(state)
    ? `there is nothing to cancel, the mission is ${state}: ${advice}`
    : `the dock has been told to start this mission (${state}), and a cancel cannot stop a flight: ${advice}`;
  return new ConflictError('mission_state', message, {
    fields: [{ field: 'id', message }],
    details: { state, ...details },
  });
}
