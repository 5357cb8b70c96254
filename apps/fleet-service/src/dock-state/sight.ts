/** A dock that was not heard for this long is offline. Docks send telemetry every two seconds. */
export const ONLINE_WITHIN_MS = 30_000;
/**
 * A silence shorter than this hides no flight: the cover has to open, the aircraft to climb, come back and land. After
 * a longer one nobody can say what the dock did.
 */
export const HIDES_NO_FLIGHT_MS = 45_000;
