import { type MissionState, isOutcome } from '@aerie/mission-core';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import type { Order } from '../advance-mission.js';
import { claimRepeats, lockMission } from '../store/flight-critical.js';
import { timingOf } from '../store/timing-column.js';
import type { AfterCommit } from './after-commit.js';

const BATCH = 50;
/** Before a dock is told, or after it was told to forget a plan that was changed. */
const IS_NOT_TOLD: ReadonlySet<MissionState> = new Set(['awaiting_approval', 'scheduled']);

/**
 * Repeats commands that are harmless to repeat and that no state of a mission repeats: undos of missions that have
 * ended, so that a dock does not keep a task that will never fly. Never an execute: those have no repeat time.
 */
export class RepeatCalls {
  constructor(
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly afterCommit: AfterCommit,
  ) {}

  async run(): Promise<void> {
    // Two transactions: claiming locks calls, and a call is never locked before its mission.
    const claimed = await inTransaction(this.dataSource, (tx) => claimRepeats(tx, BATCH));
    const undos = claimed.filter(({ method }) => method === 'flighttask_undo');
    if (undos.length === 0) return;
    const orders = await inTransaction(this.dataSource, async (tx) => {
      const due: Order[] = [];
      for (const { tid, mission_id } of undos) {
        const mission = await lockMission(tx, mission_id, null);
        // Given to the dock anew in the meantime: an old undo would take it away again.
        if (mission === undefined || !(isOutcome(mission.state) || IS_NOT_TOLD.has(mission.state))) continue;
        const notAfterMs = mission.now.getTime() + timingOf(mission).replyMs;
        due.push({ effect: 'sendUndo', mission, tid, notAfterMs, parameters: {} });
      }
      return due;
    });
    this.afterCommit.enqueue(orders);
  }
}
