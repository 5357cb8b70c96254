import type { RouteDistances } from '../geometry.js';
import type { DockModelName, RouteModels } from './aircraft-models.js';
import type { PreflightPolicy } from './preflight.policy.js';

/** When the question is asked: as the mission is planned, before the dock is told, or as the last word before take-off. */
export type Stage = 'plan' | 'prepare' | 'execute';

/** All that a verdict rests on. The caller has the clock: every age is told as one. */
export interface PreflightFacts {
  readonly stage: Stage;
  /** It starts without a person: timed, conditional or resumed by itself. */
  readonly automatic: boolean;
  /** An indoor test without propellers. */
  readonly simulated: boolean;
  readonly positioning: 'gps' | 'rtk';
  readonly plannedDurationMs: number;
  readonly storageNeededMegabytes: number | null;
  /** From the dock to the route. Null: the position of the dock is unknown. */
  readonly distances: RouteDistances | null;
  /** Null: nobody could say anything about the dock. */
  readonly dock: DockFacts | null;
  /** The mission of this dock whose outcome is unknown and not resolved. */
  readonly blockedBy: string | null;
  /** Its dock was seen at rest with the aircraft inside since, and has said nothing to the contrary. */
  readonly blockedBySeenOver: boolean;
  /** A log export holds the dock now. */
  readonly exportsLogs: boolean;
  /** The dock is cut off at the broker, or about to be, because it sent far more than its share. */
  readonly cutOff: boolean;
  /** What keeps the dock busy is getting ready for this very mission, by all that it said. */
  readonly getsReadyForThis: boolean;
  readonly models: ModelFacts;
}

/** Which models the route, the dock and its aircraft are. */
export interface ModelFacts {
  readonly route: RouteModels;
  /** As the dock reports it, else as it is registered. */
  readonly dockModel: DockModelName;
  /** Null: nobody could say. */
  readonly registeredModel: DockModelName | null;
  /** As the dock's topology or its binding named it. Null: neither named a model that is known. */
  readonly reportedModel: DockModelName | null;
  /** `0-<type>-<sub type>` as the dock's topology or its binding named the aircraft. Null: neither did. */
  readonly aircraftKey: string | null;
}

export interface DockFacts {
  /** Null: never heard. */
  readonly seenAgoMs: number | null;
  /** How long it has been heard without a gap. Only then is what it did not say something that it never says. */
  readonly inSightForMs: number | null;
  /** Between the dock's clock and ours, in either direction. Null: not measured. */
  readonly clockSkewMs: number | null;
  /** What the dock last said of itself, under the vendor's names and as it came. */
  readonly properties: Readonly<Record<string, { readonly value: unknown; readonly agoMs: number }>>;
}

/** Rules that no policy switches off. */
export type HardRuleName =
  | 'dock_seen'
  | 'emergency_stop'
  | 'aircraft_in_dock'
  | 'dock_in_order'
  | 'dock_idle'
  | 'log_export'
  | 'cut_off'
  | 'clock_skew'
  | 'aircraft_model'
  | 'dock_model'
  | LimitedRuleName;

/** Hard rules whose limit an organisation sets, within bounds. */
export type LimitedRuleName = 'distance' | 'unknown_outcome';

/** Rules whose limits an organisation sets, and which it can switch off. */
export type TunableRuleName = Exclude<keyof PreflightPolicy, LimitedRuleName>;

export type RuleName = HardRuleName | TunableRuleName;

export type Unit = 'percent' | 'metersPerSecond' | 'celsius' | 'milliseconds' | 'megabytes' | 'meters' | 'level';

/** What a rule shows as its input or its limit. */
export type Shown = number | string | boolean | null;

export interface RuleResult {
  readonly rule: RuleName;
  readonly hard: boolean;
  /** `unknown`: there is no input, and that passes. `off`: the policy does not ask. */
  readonly verdict: 'go' | 'no_go' | 'unknown' | 'off';
  /** Null: there is none, so a `no_go` is for want of it. */
  readonly input: Shown;
  readonly limit: Shown;
  /** How far inside the limit, or below zero outside, in `unit`. Null where that makes no sense. */
  readonly margin: number | null;
  readonly unit: Unit | null;
  /** For people. Where the verdict is `no_go` it says what to change. */
  readonly message: string;
}

/** Every rule exactly once, in the order of the table; `no_go` if one of them says so. */
export interface PreflightResult {
  readonly verdict: 'go' | 'no_go';
  readonly rules: readonly RuleResult[];
}
