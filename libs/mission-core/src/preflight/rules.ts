import {
  fails,
  failsAtTakeOff,
  failsAtTakeOffOfAutomatic,
  failsAtTakeOffUnlessNeverSent,
  judgeAircraftInDock,
  judgeClockSkew,
  judgeCutOff,
  judgeDistance,
  judgeDockIdle,
  judgeDockInOrder,
  judgeDockSeen,
  judgeEmergencyStop,
  judgeLogExport,
  judgeUnknownOutcome,
  passes,
} from './judges.hard.js';
import { judgeAircraftModel, judgeDockModel } from './judges.models.js';
import {
  judgeBattery,
  judgeCover,
  judgeFirmware,
  judgeLandingPoint,
  judgeRain,
  judgeRtk,
  judgeStorage,
  judgeTemperature,
  judgeWind,
} from './judges.tunable.js';
import type { RuleName } from './preflight.types.js';
import type { Rule } from './rule.js';

/**
 * All rules, in the order in which they are shown. Hard ones say themselves what a missing input means, the others ask
 * the policy. docs/preflight.md tells operators about each: keep it true.
 */
// prettier-ignore
export const rules: { readonly [N in RuleName]: Rule<N> } = {
  dock_seen:        { hard: true,  unit: 'milliseconds',    reads: [],                                     judge: judgeDockSeen,       whenMissing: fails },
  emergency_stop:   { hard: true,  unit: null,              reads: ['emergency_stop_state', 'drone_in_dock', 'mode_code'],
                                                                                                           judge: judgeEmergencyStop,  whenMissing: failsAtTakeOffUnlessNeverSent },
  aircraft_in_dock: { hard: true,  unit: null,              reads: ['drone_in_dock'],                      judge: judgeAircraftInDock, whenMissing: failsAtTakeOff },
  dock_in_order:    { hard: true,  unit: null,              reads: ['mode_code', 'flighttask_step_code'],  judge: judgeDockInOrder,    whenMissing: passes },
  dock_idle:        { hard: true,  unit: null,              reads: ['mode_code', 'flighttask_step_code'],  judge: judgeDockIdle,       whenMissing: failsAtTakeOff },
  log_export:       { hard: true,  unit: null,              reads: [],                                     judge: judgeLogExport,      whenMissing: fails },
  cut_off:          { hard: true,  unit: null,              reads: [],                                     judge: judgeCutOff,         whenMissing: fails },
  clock_skew:       { hard: true,  unit: 'milliseconds',    reads: [],                                     judge: judgeClockSkew,      whenMissing: passes },
  unknown_outcome:  { hard: true,  unit: null,              reads: [],                                     judge: judgeUnknownOutcome, whenMissing: fails },
  distance:         { hard: true,  unit: 'meters',          reads: [],                                     judge: judgeDistance,       whenMissing: failsAtTakeOffOfAutomatic },
  aircraft_model:   { hard: true,  unit: null,              reads: ['sub_device'],                         judge: judgeAircraftModel,  whenMissing: passes },
  dock_model:       { hard: true,  unit: null,              reads: [],                                     judge: judgeDockModel,      whenMissing: passes },
  battery:          { hard: false, unit: 'percent',         reads: ['drone_charge_state', 'drone_battery_maintenance_info'],
                                                                                                           judge: judgeBattery },
  rain:             { hard: false, unit: 'level',           reads: ['rainfall'],                           judge: judgeRain },
  wind:             { hard: false, unit: 'metersPerSecond', reads: ['wind_speed'],                         judge: judgeWind },
  temperature:      { hard: false, unit: 'celsius',         reads: ['environment_temperature'],            judge: judgeTemperature },
  storage:          { hard: false, unit: 'megabytes',       reads: ['storage'],                            judge: judgeStorage },
  rtk:              { hard: false, unit: null,              reads: ['position_state'],                     judge: judgeRtk },
  cover:            { hard: false, unit: null,              reads: ['cover_state'],                        judge: judgeCover },
  landing_point:    { hard: false, unit: null,              reads: ['alternate_land_point'],               judge: judgeLandingPoint },
  firmware:         { hard: false, unit: null,              reads: ['compatible_status'],                  judge: judgeFirmware },
};

export const RULE_NAMES = Object.keys(rules) as readonly RuleName[];

/** What a caller must know of a dock, each once. */
export const PREFLIGHT_PROPERTIES: readonly string[] = [
  ...new Set(RULE_NAMES.flatMap((name) => rules[name].reads)),
].sort();
