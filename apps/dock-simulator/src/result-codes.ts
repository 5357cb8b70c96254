/** Answers of a dock, as numbered in the vendor's list. 0 is success. */
export const resultCodes = {
  ok: 0,
  notSupported: 314000,
  badRequest: 314001,
  kmzUnsupported: 314003,
  downloadFailed: 314004,
  checksumMismatch: 314005,
  noKmzAddress: 314013,
  kmzProcessingFailed: 314016,
  /** The dock lost its network (or itself) and the aircraft came home alone. */
  returnedAlone: 314200,
  systemError: 319002,
  batteryTooLow: 316009,
  notAirborne: 316024,
  /** Pressed while it flew. */
  emergencyStopInFlight: 316026,
  /** Pressed: nothing is started. */
  emergencyStop: 514121,
  taskStoreFull: 319009,
  unknownTask: 319003,
  expired: 319004,
  executeTooLate: 319005,
  cannotUndoRunning: 319006,
  noFlightControl: 319030,
  otherMissionRuns: 319016,
  exportsLogs: 319018,
  pullsLogs: 319019,
  cannotPause: 319020,
  batteryBelowCondition: 319026,
  cannotResume: 319042,
  cannotCancelReturn: 319043,
  finishedCannotResume: 319044,
  pausedCannotPause: 319046,
  sameMissionRuns: 321257,
  lowBatteryReturn: 321773,
  controlTaken: 322282,
  userReturn: 322283,
  breakPointInvalid: 322539,
  /** No log of that boot. */
  noSuchLog: 324014,
  aircraftOff: 324015,
  /** The storage does not take a log. */
  logUploadRefused: 324019,
  /** The way to the storage broke. */
  logUploadBroken: 324020,
  badParameter: 325001,
  busy: 325005,
  setupAbortImpossible: 326108,
  alreadyAirborne: 326109,
} as const;

/** Every published pair of break reason and error code holds to this sum. */
export const ROUTE_ERROR_BASE = 321_000;

export const breakReasons = {
  none: 0,
  lowBattery: 773,
  linkLost: 775,
  userPause: 1281,
  controlTaken: 1282,
  userReturn: 1283,
} as const;

/** Route execution errors come from the air; every other code means that the aircraft never left. */
export function failsInTheAir(code: number): boolean {
  return code > ROUTE_ERROR_BASE && code < 323_000;
}
