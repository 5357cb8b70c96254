/** A dock that flies names its flight every two seconds, which is noted each ten. */
const NAMES_NOW_MS = 20_000;

/** A mission, and the flight that its dock spoke of last. */
interface Named {
  readonly id: string;
  readonly now: Date;
  readonly dock_flight_id: string | null;
  readonly dock_flight_at: Date | null;
}

/**
 * Whether the dock names another flight than this one, just now, and after the given instant: what it named before has
 * no say about what happened since.
 */
export function namesOther({ id, now, dock_flight_id, dock_flight_at }: Named, afterMs: number | null): boolean {
  if (dock_flight_id === null || dock_flight_id === id || dock_flight_at === null) return false;
  if (afterMs !== null && dock_flight_at.getTime() <= afterMs) return false;
  return now.getTime() - dock_flight_at.getTime() <= NAMES_NOW_MS;
}
