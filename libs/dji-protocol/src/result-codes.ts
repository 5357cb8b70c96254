import { breakReasonMeaning } from './break-reasons.js';

/**
 * Result codes of docks, format ABCDEF: A the source, BC the module, DEF the code. The texts are ours; the codes are
 * from the vendor's error code list. A first set: what missions can meet.
 */

/** A flight that the user sent home ends as `failed` with this code (quirk M18). */
export const USER_RETURN_RESULT = 322283;

/** The reason for a wayline's end and its result code differ by this, in every published pair. */
const BREAK_REASON_BASE = 321000;

/** [Cloud API demo] What its scheduler retries later: the dock or the weather forbids a start now, the task is sound. */
const BUSY_FOR_NOW: ReadonlySet<number> = new Set([
  316026, 319001, 319016, 319018, 319019, 321513, 321514, 321515, 514120, 514134, 514135, 514136, 514137, 514145,
  514146, 514147, 514148,
]);

export const isBusyForNow = (code: number): boolean => BUSY_FOR_NOW.has(code);
/** The wayline was started before: the aircraft may be in the air because of an earlier command. */
export const isAlreadyRunning = (code: number): boolean => code === 321257;
/** `flighttask_undo` came too late: the flight runs and must be ended in another way. */
export const isCannotCancelRunning = (code: number): boolean => code === 319006;

// prettier-ignore
const MEANINGS: ReadonlyMap<number, string> = new Map([
  [0, 'success'],
  [210231, 'binding to the organisation failed'],
  [212510, 'topology: signature wrong'], [212511, 'topology: already online'],
  [314000, 'operation not supported in this state'],
  [314001, 'delivery failed: file address'], [314002, 'delivery failed: file fingerprint'],
  [314003, 'format of the KMZ unsupported'], [314004, 'download of the KMZ failed'],
  [314005, 'fingerprint of the KMZ differs'],
  [314006, 'the aircraft did not start'], [314009, 'the aircraft did not start'],
  [314007, 'transfer of the KMZ to the aircraft failed'],
  [314008, 'preparation timed out'], [314012, 'preparation failed'],
  [314010, 'execution failed'], [314011, 'the result could not be read'], [314014, 'system error in the mission'],
  [314013, 'no address for the KMZ from the cloud'],
  [314015, 'KMZ of an AI spot check unusable'], [314017, 'KMZ of an AI spot check unusable'],
  [314016, 'processing of the KMZ failed'],
  [314018, 'RTK not fixed'], [314019, 'RTK not fixed'], [314021, 'RTK not fixed'], [314025, 'RTK not fixed'],
  [314020, 'the aircraft stands badly on the pad'],
  [314024, 'delivery of the entry or exit route failed'],
  [314200, 'the dock lost its network, the aircraft returned'],
  [315004, 'leapfrog: both docks must be idle'], [315018, 'leapfrog: both docks must be idle'],
  [315008, 'leapfrog: the docks use different RTK sources'], [315052, 'leapfrog: RTK not converged'],
  [316001, 'setting of flight parameters failed'], [316002, 'setting of flight parameters failed'],
  [316003, 'setting of flight parameters failed'], [316004, 'setting of flight parameters failed'],
  [316025, 'setting of flight parameters failed'], [316027, 'setting of flight parameters failed'],
  [316005, 'RTK not fixed'], [316020, 'RTK not fixed'], [316021, 'RTK not fixed'],
  [316006, 'landing failed'], [316011, 'landed in the wrong place'], [316016, 'landing timed out'],
  [316050, 'landed outside the dock'], [316051, 'landing diverted'], [316052, 'landing diverted'],
  [316053, 'landed by hand'],
  [316007, 'the aircraft is not started'], [316010, 'the aircraft was not found'],
  [316022, 'the aircraft is not connected'],
  [316008, 'controller B holds the control'], [316023, 'controller B holds the control'],
  [316009, 'battery below 30 %'], [321772, 'battery below 30 %'], [514103, 'battery below 30 %'],
  [316024, 'return refused: not in the air'],
  [316026, 'emergency stop is pressed'], [514121, 'emergency stop is pressed'],
  [316034, 'firmware of dock and aircraft do not match'],
  [317001, 'counting of media failed'], [317007, 'counting of media failed'],
  [319001, 'the dock is busy with a mission or with logs'],
  [319002, 'system error in the dock'], [319999, 'system error in the dock'],
  [319003, 'the dock does not know this mission'], [319004, 'the mission expired'],
  [319005, 'the start command came too late'],
  [319006, 'cannot cancel: the mission runs'], [319007, 'cannot change: the mission runs'],
  [319008, 'clocks of dock and cloud differ'], [319009, 'delivery failed'], [319010, 'firmware too old'],
  [319015, 'the dock is initialising'], [319016, 'the dock runs another mission'],
  [319017, 'the dock is processing media'], [319018, 'the dock is uploading logs'],
  [319019, 'the dock is collecting logs'], [319025, 'the dock is preparing'],
  [319020, 'pause failed'], [319042, 'resume failed'], [319043, 'cancelling the return failed'],
  [319044, 'the mission is over, it cannot resume'], [319046, 'the mission is over or paused, it cannot pause'],
  [319026, 'battery below the condition of the mission'], [319027, 'free storage below the condition of the mission'],
  [319028, 'the dock is updating flight areas'], [319029, 'the dock is updating maps'],
  [319030, 'the cloud has no flight control'],
  [319036, 'remote debugging is on'], [319037, 'on-site debugging is on'], [319038, 'the dock is upgrading'],
  [321000, 'mission error'], [386535, 'mission error'],
  [321260, 'the wayline has not started'],
  [321530, 'the target cannot be reached'], [321531, 'route planning failed'], [321532, 'entry or exit route failed'],
  [321533, 'entry or exit route failed'],
  [321776, 'RTK not fixed'], [321777, 'the aircraft does not hover'], [321778, 'controller B holds the control'],
  [321788, 'returned because of interference'],
  [322282, 'control was taken over'],
  [324012, 'packing of logs timed out'], [324013, 'log list failed'], [324014, 'log list is empty'],
  [324015, 'the aircraft is off or not connected'], [324016, 'storage of the dock is full'],
  [324017, 'packing of logs failed'], [324018, 'logs could not be pulled'], [324019, 'upload of logs failed'],
  [324020, 'network error during log upload'], [324021, 'power was lost during log upload'],
  [324030, 'media upload failed'],
  [325001, 'bad parameter'], [325003, 'command failed'], [325004, 'command timed out'],
  [325005, 'the dock is busy'], [325006, 'the dock is busy preparing'], [325007, 'the dock is busy with a mission'],
  [325008, 'the dock is busy with output'], [325009, 'the dock is busy with logs'],
  [325010, 'the dock is updating flight areas'], [325011, 'the dock is updating maps'],
  [325012, 'the aircraft is not available'],
  [326108, 'the preparation cannot be aborted now'], [326109, 'already in the air: use return home'],
  [341002, 'the position of the dock is not fixed'],
  [514101, 'putter rods failed'], [514102, 'putter rods failed'], [514118, 'putter rods failed'],
  [514143, 'putter rods failed'],
  [514107, 'dock cover failed'], [514108, 'dock cover failed'], [514117, 'dock cover failed'],
  [514144, 'dock cover failed'],
  [514109, 'power or link of the aircraft failed'], [514110, 'power or link of the aircraft failed'],
  [514113, 'power or link of the aircraft failed'], [514120, 'power or link of the aircraft failed'],
  [514142, 'power or link of the aircraft failed'],
  [514134, 'too much rain'], [514135, 'too much wind'], [514136, 'mains power is off'],
  [514137, 'colder than -20 °C'], [514173, 'colder than 5 °C with rain'],
  [514138, 'battery maintenance runs'],
  [514145, 'on-site debugging is on'], [514146, 'remote debugging is on'], [514147, 'the dock is upgrading'],
  [514148, 'the dock is working'], [514150, 'the dock is restarting'], [514170, 'the dock is initialising'],
  [514155, 'the aircraft is not inside the dock'], [514156, 'the aircraft is outside'],
  [514159, 'the dock to land on is occupied'], [514168, 'the dock is not calibrated'],
  [514171, 'malformed command'],
]);

/** Short English text for a result code, or null for a code that is not in the table. */
export function meaningOf(code: number): string | null {
  const text = MEANINGS.get(code);
  if (text !== undefined) return text;
  // [Cloud API, error codes] Codes 321001 to 322999 are a break reason each.
  return code > BREAK_REASON_BASE && code < 323000 ? breakReasonMeaning(code - BREAK_REASON_BASE) : null;
}
