import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { Timing } from '@aerie/mission-core';
import type { Order } from '../advance-mission.js';
import { claimRepeats, lockMission, recordOutcome } from '../store/flight-critical.js';
import type { DockCommands } from '../dock/dock-commands.js';

const BATCH = 50;

/**
 * Repeats commands that are harmless to repeat and that no state of a mission repeats: undos of missions that have
 * ended, so that a dock does not keep a task that will never fly. Never an execute: those have no repeat time.
 */
export class RepeatCalls {
  constructor(
    private readonly dataSource: DataSource,
    private readonly commands: DockCommands,
    private readonly timing: Timing,
  ) {}

  async run(): Promise<void> {
    const orders = await inTransaction(this.dataSource, async (tx) => {
      const due: (Order & { effect: 'sendUndo' })[] = [];
      for (const { tid, mission_id, method } of await claimRepeats(tx, BATCH)) {
        const mission = await lockMission(tx, mission_id, null);
        if (mission === undefined || method !== 'flighttask_undo') continue;
        due.push({ effect: 'sendUndo', mission, tid, notAfterMs: mission.now.getTime() + this.timing.replyMs });
      }
      return due;
    });
    for (const order of orders) {
      const { outcome, reason } = await this.commands.send(order, order.mission.now.getTime());
      await inTransaction(this.dataSource, (tx) => recordOutcome(tx, order.tid, outcome, reason ?? null));
    }
  }
}
