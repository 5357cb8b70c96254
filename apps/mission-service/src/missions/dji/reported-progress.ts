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

/** Messages overtake each other: what counts up never goes back. */
export function forward(before: MissionProgress | null, now: MissionProgress): MissionProgress {
  const most = (a: number | null | undefined, b: number | null): number | null =>
    a == null ? b : b === null ? a : Math.max(a, b);
  return {
    ...now,
    percent: most(before?.percent, now.percent),
    waypointIndex: most(before?.waypointIndex, now.waypointIndex),
    mediaCount: now.mediaCount ?? before?.mediaCount ?? null,
  };
}
