import { InstantWakes } from '@aerie/job-queue';
import type { LockedMission } from '../store/mission.row.js';

/** Sets wakes for the instants of missions. */
export class DueWakes extends InstantWakes {
  /** Wakes somebody soon after the mission's next instant. Never waits, never fails. */
  for(mission: Pick<LockedMission, 'state' | 'next_action_at' | 'now'>): void {
    // A flight that goes on talking moves its instant all the time; the sweeper is quick enough for it.
    if (mission.next_action_at === null || mission.state === 'executing' || mission.state === 'paused') return;
    this.after(mission.next_action_at.getTime() - mission.now.getTime());
  }
}
