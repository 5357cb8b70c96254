import { type Principal, factSubject } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges } from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import { type ApiDatabase, inTransaction, writeOutbox } from '@aerie/persistence';
import { callerIdOf } from '../caller-id.js';
import { SCHEMA } from '../../database.js';
import { isReached } from '../store/is-reached.js';
import { unknownMission } from '../views/unknown-mission.js';
import { insteadOf } from './controls.js';
import { lockMission } from '../store/flight-critical.js';
import { keepResolution } from '../store/keep-resolution.js';
import { type MissionView, viewOf } from '../views/mission.view.js';
import { writeTimeline } from '../store/timeline.js';

/**
 * A person has looked: the flight whose outcome nobody knew no longer keeps its dock from flying by itself. The outcome
 * stays unknown; who said what is kept beside it.
 */
export class ResolveMission {
  constructor(private readonly database: ApiDatabase) {}

  execute(caller: Principal, id: string, note: string, version: ExpectedVersion): Promise<MissionView> {
    return inTransaction(this.database.of(caller), async (tx) => {
      const locked = await lockMission(tx, id, null);
      if (locked === undefined || !isReached(caller, locked)) throw unknownMission(id);
      checkVersion(version, locked.revision);
      if (locked.state !== 'outcome_unknown') {
        const { advice, details } = insteadOf(locked);
        const message = `only a mission whose outcome is unknown can be resolved; this one is ${locked.state}: ${advice}`;
        throw new ConflictError('mission_state', message, {
          fields: [{ field: 'id', message }],
          details: { state: locked.state, ...details },
        });
      }
      // The first resolution stands; a repeat shows it.
      if (locked.resolution !== null) return viewOf(locked);
      const resolution = { by: 'person', keyId: callerIdOf(caller), note, at: locked.now.toISOString() };
      await keepResolution(tx, id, resolution);
      await writeTimeline(tx, [{ missionId: id, kind: 'note', what: 'resolved', detail: resolution }]);
      await writeOutbox(tx, SCHEMA, [
        {
          subject: factSubject('mission', locked.organisation_id, 'resolved'),
          payload: { missionId: id, dockSn: locked.dock_sn, resolution },
        },
      ]);
      await recordChanges(tx, SCHEMA, [{ caller }]);
      return viewOf({ ...locked, resolution });
    });
  }
}
