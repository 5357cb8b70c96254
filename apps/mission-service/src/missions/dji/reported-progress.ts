/** The last that the dock reported of a flight. */
export interface MissionProgress {
  /** The dock's own word. */
  readonly status: string;
  /** Of the whole job, 0 to 100; real docks stay at 90 while they fly. */
  readonly percent: number | null;
  /** The dock's own number; its meaning differs by model and firmware. */
  readonly currentStep: number | null;
  /** Waypoint that is being flown. */
  readonly waypointIndex: number | null;
  /** Photos and videos made; meaningful once the mission has ended. */
  readonly mediaCount: number | null;
  readonly reportedAt: string;
}
