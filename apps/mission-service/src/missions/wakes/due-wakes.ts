import type { WakeQueue } from '@aerie/job-queue';
import { LRUCache } from 'lru-cache';
import type { LockedMission } from '../store/mission.row.js';

/** Instants this close together are one wake: 500 missions of one second cost a handful of jobs, and a look finds all. */
const GRAIN_MS = 25;
/** Instants that this process has set a wake for. Only to save a round trip: what is set twice is one job in Redis. */
const REMEMBERED = 10_000;

/**
 * Sets wakes for instants at which something becomes due. A wake names no mission: whoever wakes asks the database what
 * is due, and gets everything that is.
 */
export class DueWakes {
  private readonly known = new LRUCache<number, true>({ max: REMEMBERED });

  constructor(private readonly queue: WakeQueue) {}

  /** Wakes somebody soon after the mission's next instant. Never waits, never fails. */
  for(mission: Pick<LockedMission, 'state' | 'next_action_at' | 'now'>): void {
    // A flight that goes on talking moves its instant all the time; the sweeper is quick enough for it.
    if (mission.next_action_at === null || mission.state === 'executing' || mission.state === 'paused') return;
    this.after(mission.next_action_at.getTime() - mission.now.getTime());
  }

  after(delayMs: number): void {
    const nowMs = Date.now();
    const instantMs = Math.ceil((nowMs + Math.max(0, delayMs)) / GRAIN_MS) * GRAIN_MS;
    if (this.known.has(instantMs)) return;
    this.known.set(instantMs, true);
    this.queue.set([{ id: `due-${instantMs}`, revision: 0, delayMs: instantMs - nowMs }]);
  }
}
