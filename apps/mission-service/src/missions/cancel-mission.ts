import type { Principal } from '@aerie/bus-contract';
import { ConflictError, NotFoundError } from '@aerie/kernel';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { AdvanceMission } from './advance-mission.js';
import type { AfterCommit } from './effects/after-commit.js';
import { lockMission } from './store/flight-critical.js';
import { type MissionView, viewOf } from './store/mission.view.js';

/** Asks for a cancel. Once a dock holds the mission, the dock is told, and its answer makes it `canceled`. */
export class CancelMission {
  constructor(
    private readonly dataSource: DataSource,
    private readonly advanceMission: AdvanceMission,
    private readonly afterCommit: AfterCommit,
  ) {}

  async execute(caller: Principal, id: string): Promise<MissionView> {
    const { advanced, found } = await inTransaction(this.dataSource, async (tx) => {
      const locked = await lockMission(tx, id, null);
      if (locked === undefined || locked.organisation_id !== caller.organisationId) throw unknownMission(id);
      const detail = { by: caller.keyId };
      return {
        found: locked,
        advanced: await this.advanceMission.advance(tx, locked, { type: 'cancelRequested' }, { detail }),
      };
    });
    if (advanced.decision.kind === 'refused') throw cannotCancel(found.state);
    this.afterCommit.run(advanced);
    return viewOf(advanced.mission);
  }
}

export const unknownMission = (id: string): NotFoundError =>
  new NotFoundError('unknown_mission', `there is no mission ${id}`, {
    fields: [{ field: 'id', message: 'is no mission' }],
  });

function cannotCancel(state: string): ConflictError {
  const flying = state === 'starting' || state === 'executing' || state === 'paused';
  const message = flying
    ? `the dock has been told to start this mission (${state}): a cancel cannot stop a flight; call the aircraft home at the dock`
    : `the mission has ended (${state})`;
  return new ConflictError('mission_state', message, {
    fields: [{ field: 'id', message }],
    details: { state },
  });
}
