import { FARTHEST_METERS } from './preflight.policy.js';
import { FRESH_MS, choiceOf, isFresh, measureOf, numberOf } from './readings.js';
import { type Judgement, type Look, type WhenMissing, atMost, exactly, judged, missing } from './rule.js';

/** A dock refuses a mission when its clock is 30 s off [Cloud API]; below this the commands still have time to travel. */
const CLOCK_SKEW_LIMIT_MS = 20_000;

const MODE_IDLE = 0;
const MODE_WORKING = 4;
const STEP_PREPARING = 0;
const STEP_IDLE = 5;

/** [Cloud API] `mode_code` of a dock. */
const MODES: Readonly<Record<number, string>> = {
  1: 'on-site debugging',
  2: 'remote debugging',
  3: 'upgrading',
  4: 'working',
  5: 'to be calibrated',
};

/** [Cloud API] `flighttask_step_code`. */
const STEPS: Readonly<Record<number, string>> = {
  0: 'preparing a flight',
  1: 'in flight',
  2: 'recovering the aircraft',
  3: 'updating flight areas',
  4: 'updating terrain',
  255: 'aircraft fault',
  256: 'flight step unknown to the dock',
};

/** States that no waiting ends: somebody works on the dock, or has to. */
const MODES_OUT_OF_ORDER: readonly number[] = [1, 3, 5];
const STEPS_OUT_OF_ORDER: readonly number[] = [255, 256];

export const passes: WhenMissing = () => 'pass';
export const fails: WhenMissing = () => 'fail';

/** In doubt do not take off; but what is planned or prepared in doubt can still become certain. */
export const failsAtTakeOff: WhenMissing = ({ facts }) => (facts.stage === 'execute' ? 'fail' : 'pass');

/** A person who starts a mission by hand has looked where the dock is. */
export const failsAtTakeOffOfAutomatic: WhenMissing = (look) =>
  look.facts.automatic && !look.facts.simulated ? failsAtTakeOff(look) : 'pass';

/** Some firmware does not send the emergency stop at all. From a dock that says the rest, its absence means nothing. */
export const failsAtTakeOffUnlessNeverSent: WhenMissing = (look) => {
  const saysTheRest = (['drone_in_dock', 'mode_code'] as const).every((name) => look.reading(name).kind === 'fresh');
  return look.reading('emergency_stop_state').kind === 'absent' && saysTheRest ? 'pass' : failsAtTakeOff(look);
};

export function judgeDockSeen({ facts: { dock } }: Look): Judgement {
  const agoMs = numberOf(dock?.seenAgoMs);
  if (agoMs === null) {
    const says = dock === null ? 'Nobody could say when the dock was last heard.' : 'The dock was never heard.';
    return missing(FRESH_MS, says);
  }
  // An age below zero shows as it is, and counts as far from now as it is.
  return judged(
    { go: isFresh(agoMs), input: agoMs, limit: FRESH_MS, margin: FRESH_MS - Math.abs(agoMs) },
    `The dock was last heard ${seconds(agoMs)} ago, and ${seconds(FRESH_MS)} is allowed.`,
    'Check its power and its network.',
  );
}

export function judgeEmergencyStop({ reading }: Look): Judgement {
  const state = choiceOf(reading('emergency_stop_state').value, [0, 1]);
  if (state === null) return missing(false, 'The dock does not say whether its emergency stop is pressed.');
  return judged(
    exactly(state === 1, false),
    `The emergency stop of the dock is ${state === 1 ? 'pressed' : 'not pressed'}.`,
    'Find out at the dock why, and release it there.',
  );
}

export function judgeAircraftInDock({ reading }: Look): Judgement {
  const inDock = choiceOf(reading('drone_in_dock').value, [0, 1]);
  if (inDock === null) return missing(true, 'The dock does not say whether the aircraft is in it.');
  return judged(
    exactly(inDock === 1, true),
    `The aircraft is ${inDock === 1 ? '' : 'not '}in the dock.`,
    'Wait until it is back, or put it back.',
  );
}

/** What a dock says of itself here, somebody has to mend or to end; of a dock that is only busy see `dock_idle`. */
export function judgeDockInOrder({ reading }: Look): Judgement {
  const mode = measureOf(reading('mode_code').value);
  const step = measureOf(reading('flighttask_step_code').value);
  if (mode === null && step === null) return missing('in order', 'The dock does not say whether it is in order.');
  const faults: string[] = [];
  if (mode !== null && MODES_OUT_OF_ORDER.includes(mode)) faults.push(MODES[mode] ?? `mode ${mode}`);
  if (step !== null && STEPS_OUT_OF_ORDER.includes(step)) faults.push(STEPS[step] ?? `flight step ${step}`);
  const input = faults.length === 0 ? 'in order' : faults.join(', ');
  return judged(
    exactly(input, 'in order'),
    faults.length === 0 ? 'The dock is in order.' : `The dock is not in order: ${input}.`,
    'It does not pass by itself: end the debugging or the upgrade at the dock, calibrate it, or have the aircraft looked at.',
  );
}

export function judgeDockIdle({ facts, reading }: Look): Judgement {
  const mode = measureOf(reading('mode_code').value);
  const stepReading = reading('flighttask_step_code');
  const step = measureOf(stepReading.value);
  if (facts.getsReadyForThis && mode === MODE_WORKING && (step === STEP_IDLE || step === STEP_PREPARING)) {
    return judged(exactly('idle', 'idle'), 'The dock gets ready for this mission.', '');
  }

  const occupations: string[] = [];
  if (mode !== null && mode !== MODE_IDLE) occupations.push(MODES[mode] ?? `mode ${mode}`);
  if (step !== null && step !== STEP_IDLE) occupations.push(STEPS[step] ?? `flight step ${step}`);
  if (occupations.length > 0) {
    const input = occupations.join(', ');
    return judged(exactly(input, 'idle'), `The dock is not idle: ${input}.`, 'Wait until it is.');
  }
  if (mode === null) return missing('idle', 'The dock does not say whether it is idle.');
  // Old firmware does not know the step: only then the mode alone decides.
  if (step === null && stepReading.kind !== 'absent') {
    return missing('idle', 'The dock does not say any more what its flight task does.');
  }
  return judged(exactly('idle', 'idle'), 'The dock is idle.', '');
}

export function judgeLogExport({ facts: { exportsLogs } }: Look): Judgement {
  return judged(
    exactly(exportsLogs, false),
    exportsLogs ? 'The dock is exporting logs.' : 'No log export holds the dock.',
    'Wait until the export is over, or cancel it.',
  );
}

export function judgeCutOff({ facts: { cutOff } }: Look): Judgement {
  return judged(
    exactly(cutOff, false),
    cutOff ? 'The dock is cut off, because it sends far more than its share.' : 'The dock is not cut off.',
    'Find out why it sends so much. It comes back by itself (GET /docks/{sn}, cutOff); a person can end it before.',
  );
}

export function judgeClockSkew({ facts: { dock } }: Look): Judgement {
  const skewMs = numberOf(dock?.clockSkewMs);
  if (skewMs === null) return missing(CLOCK_SKEW_LIMIT_MS, "The dock's clock was not measured.");
  return judged(
    { ...atMost(Math.abs(skewMs), CLOCK_SKEW_LIMIT_MS), input: skewMs },
    `The dock's clock is ${seconds(Math.abs(skewMs))} off, and ${seconds(CLOCK_SKEW_LIMIT_MS)} is allowed.`,
    'See that the dock reaches its time server; see that ours is right too.',
  );
}

export function judgeUnknownOutcome({ facts, policy }: Look): Judgement {
  const { automatic, blockedBy, blockedBySeenOver } = facts;
  if (blockedBy !== null && blockedBySeenOver && policy.unknown_outcome.afterSeenOver === 'pass') {
    return judged(
      { go: true, input: blockedBy, limit: null, margin: null },
      `Nobody told how mission ${blockedBy} of this dock ended, and its aircraft was seen back in the dock.`,
      '',
    );
  }
  const verdict = { go: blockedBy === null || !automatic, input: blockedBy, limit: null, margin: null };
  if (blockedBy === null) return judged(verdict, 'How the last mission of the dock ended is known.', '');
  const says = `Nobody knows how mission ${blockedBy} of this dock ended.`;
  return judged(
    verdict,
    automatic ? says : `${says} A person starts this one, and takes the decision.`,
    'Look at the dock and resolve that mission; until then it starts nothing by itself.',
  );
}

/** The aircraft has to reach every waypoint by radio and by battery. The bound holds whatever a policy says. */
export function judgeDistance({ facts, policy }: Look): Judgement {
  const limit = Math.min(policy.distance.maximumMeters, FARTHEST_METERS);
  if (facts.simulated) {
    return judged({ go: true, input: null, limit, margin: null }, 'A simulated flight stays in the dock.', '');
  }
  const [first, farthest, last] = (['firstMeters', 'farthestMeters', 'lastMeters'] as const).map((name) =>
    numberOf(facts.distances?.[name]),
  );
  if (first == null || farthest == null || last == null) {
    return missing(
      limit,
      'The position of the dock is unknown: enter it with PUT /api/v1/docks/{sn}/position, or let the dock send it.',
    );
  }
  // Rounded up, so that what is shown is what is compared.
  const meters = Math.ceil(Math.max(first, farthest, last));
  return judged(
    atMost(meters, limit),
    `The farthest waypoint is ${meters} m from the dock, the first ${Math.ceil(first)} m and the last ${Math.ceil(last)} m; ` +
      `${limit} m is allowed.`,
    'Choose a dock that is nearer, or shorten the route.',
  );
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
