interface Tunable {
  readonly enabled: boolean;
  /** What a dock that does not say means for this rule. */
  readonly whenUnknown: 'pass' | 'fail';
}

/** The tunable rules of one organisation: data, so that it can be stored and shown. Its keys are names of rules. */
export interface PreflightPolicy {
  /** Cannot be switched off. The farthest waypoint may be this far from the dock. */
  readonly distance: { readonly maximumMeters: number };
  /** Cannot be switched off. Whether a dock waits for a person also after a flight that was seen to be over. */
  readonly unknown_outcome: { readonly afterSeenOver: 'pass' | 'fail' };
  readonly battery: Tunable & {
    /** No flight starts below this, however short. */
    readonly minimumPercent: number;
    /** What a minute of the planned flight is reckoned to take. */
    readonly percentPerMinute: number;
    /** What is to be left after the planned flight. */
    readonly reservePercent: number;
  };
  /** Levels of the dock's gauge: 0 none, 1 light, 2 moderate, 3 heavy. */
  readonly rain: Tunable & { readonly maximumLevel: number };
  readonly wind: Tunable & { readonly maximumMetersPerSecond: number };
  readonly temperature: Tunable & { readonly minimumCelsius: number; readonly maximumCelsius: number };
  readonly storage: Tunable & { readonly minimumMegabytes: number };
  readonly rtk: Tunable;
  readonly cover: Tunable;
  readonly landing_point: Tunable;
  readonly firmware: Tunable;
}

/**
 * No policy allows more. Docks are rated for 7 to 10 km, and no aircraft of a dock flies 15 km out and back with a reserve:
 * at 15 m/s that takes 33 minutes, and wind can double it.
 */
export const FARTHEST_METERS = 15_000;

/**
 * What holds where an organisation says nothing. An unknown input fails where a wrong guess can cost the aircraft, and
 * passes where the dock itself looks again before it opens, or where its model may not have the property at all.
 */
export const DEFAULT_POLICY: PreflightPolicy = {
  // Half of what docks are rated for, as buildings and hills shorten the range of their radio.
  distance: { maximumMeters: 5_000 },
  // The aircraft lies in its dock, charged and looked at by every other rule: nothing is left to wait for.
  unknown_outcome: { afterSeenOver: 'pass' },
  // 2 percent a minute: aircraft of these docks fly some 40 to 50 minutes with a full battery.
  battery: { enabled: true, whenUnknown: 'fail', minimumPercent: 30, percentPerMinute: 2, reservePercent: 20 },
  rain: { enabled: true, whenUnknown: 'fail', maximumLevel: 1 },
  wind: { enabled: true, whenUnknown: 'fail', maximumMetersPerSecond: 12 },
  temperature: { enabled: true, whenUnknown: 'pass', minimumCelsius: -20, maximumCelsius: 45 },
  storage: { enabled: true, whenUnknown: 'pass', minimumMegabytes: 1024 },
  rtk: { enabled: true, whenUnknown: 'fail' },
  cover: { enabled: true, whenUnknown: 'pass' },
  landing_point: { enabled: true, whenUnknown: 'pass' },
  firmware: { enabled: true, whenUnknown: 'pass' },
};
