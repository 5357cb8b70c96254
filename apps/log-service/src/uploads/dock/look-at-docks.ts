import { type DockStateView, dockStateQuestion } from '@aerie/bus-contract';
import type { HoldReason } from '@aerie/log-core';
import { type NatsConnection, ask } from '@aerie/messaging';

/** A dock that is silent for longer is away. */
const SEEN_WITHIN_MS = 30_000;
/** A value that is older says nothing about now. */
const FRESH_MS = 15_000;
/** [Cloud API, dock properties] `flighttask_step_code` 0 to 4: it works on a task. 5 is idle, above are faults. */
const LAST_WORKING_STEP = 4;

/** Whether docks can be asked for logs now. */
export class LookAtDocks {
  constructor(private readonly connection: NatsConnection) {}

  /** Why each of these docks cannot be asked; those that can are left out. Nobody knows: all of them can. */
  async obstacles(sns: readonly string[]): Promise<ReadonlyMap<string, HoldReason>> {
    if (sns.length === 0) return new Map();
    const { docks } = await ask(this.connection, dockStateQuestion, {
      sns: [...new Set(sns)],
      properties: ['flighttask_step_code'],
    });
    return new Map(
      docks.flatMap((view) => {
        const obstacle = obstacleOf(view);
        return obstacle === null ? [] : [[view.sn, obstacle]];
      }),
    );
  }
}

export function obstacleOf({ seenAgoMs, properties }: DockStateView): HoldReason | null {
  if (seenAgoMs === null || seenAgoMs > SEEN_WITHIN_MS) return 'dock_offline';
  const step = properties['flighttask_step_code'];
  // [Cloud API, remote logs] A dock that works on a task refuses to export, and the other way round.
  const works = typeof step?.value === 'number' && step.value <= LAST_WORKING_STEP && step.agoMs <= FRESH_MS;
  if (works) return 'dock_flying';
  return null;
}
