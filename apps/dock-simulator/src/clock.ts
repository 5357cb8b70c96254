import type { Clock } from '@aerie/kernel';
import type { FaultPlan } from './faults.js';

/** The dock's own wall clock, wrong by as much as a fault says. */
export class DockClock implements Clock {
  constructor(private readonly faults: FaultPlan) {}

  nowMs(): number {
    return Date.now() + this.faults.skewMs();
  }
}
