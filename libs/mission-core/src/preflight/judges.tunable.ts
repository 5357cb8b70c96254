import { choiceOf, measureOf, memberOf, numberOf, percentOf } from './readings.js';
import { type Judgement, type Look, atLeast, atMost, exactly, judged, missing } from './rule.js';

const MINUTE_MS = 60_000;
const KILOBYTES_PER_MEGABYTE = 1024;

const COVER_STATES = { 0: 'closed', 1: 'open', 2: 'half open', 3: 'faulty' } as const;
/** [Cloud API] `position_state.is_fixed`; 2 is the only good one. */
const FIXED = 2;
/** [Cloud API] `position_state.quality`: 1 to 5 by satellites, 10 is RTK. */
const GOOD_QUALITY = 5;

export function judgeBattery({ facts, policy, reading }: Look): Judgement {
  const { minimumPercent, percentPerMinute, reservePercent } = policy.battery;
  const durationMs = numberOf(facts.plannedDurationMs);
  if (durationMs === null) return missing(minimumPercent, 'How long the flight takes is not known.');

  // Rounded up, so that what is shown is what is compared.
  const estimate = Math.ceil((durationMs / MINUTE_MS) * percentPerMinute + reservePercent);
  const limit = Math.max(minimumPercent, estimate);
  const why = estimate > minimumPercent ? `for the planned flight with ${reservePercent} in reserve` : 'for any flight';
  const percent = chargeOf(reading);
  if (percent === null) return missing(limit, 'The dock does not say how full the battery is.');
  return judged(
    atLeast(percent, limit),
    `The battery has ${percent} percent, and ${limit} is needed ${why}.`,
    limit > 100 ? 'Shorten the flight: no battery holds that much.' : 'Let it charge, or shorten the flight.',
  );
}

/** The charger knows while the aircraft is off; the maintenance data knows at other times. The emptiest battery counts. */
function chargeOf(reading: Look['reading']): number | null {
  const charge = percentOf(memberOf(reading('drone_charge_state').value, 'capacity_percent'));
  if (charge !== null) return charge;
  const batteries = memberOf(reading('drone_battery_maintenance_info').value, 'batteries');
  if (!Array.isArray(batteries)) return null;
  let least: number | null = null;
  for (const battery of batteries) {
    const percent = percentOf(memberOf(battery, 'capacity_percent'));
    if (percent !== null && (least === null || percent < least)) least = percent;
  }
  return least;
}

export function judgeRain({ policy, reading }: Look): Judgement {
  const { maximumLevel } = policy.rain;
  const level = measureOf(reading('rainfall').value);
  if (level === null || level < 0) return missing(maximumLevel, 'The dock does not say whether it rains.');
  return judged(
    atMost(level, maximumLevel),
    `Rain at the dock is at level ${level} of 3, and ${maximumLevel} is allowed.`,
    'Wait until it rains less.',
  );
}

export function judgeWind({ policy, reading }: Look): Judgement {
  const { maximumMetersPerSecond } = policy.wind;
  const speed = measureOf(reading('wind_speed').value);
  if (speed === null || speed < 0) return missing(maximumMetersPerSecond, 'The dock does not say how windy it is.');
  return judged(
    atMost(speed, maximumMetersPerSecond),
    `Wind at the dock is ${speed} m/s, and ${maximumMetersPerSecond} is allowed.`,
    'Wait until it is calmer.',
  );
}

export function judgeTemperature({ policy, reading }: Look): Judgement {
  const { minimumCelsius, maximumCelsius } = policy.temperature;
  const limit = `${minimumCelsius} to ${maximumCelsius}`;
  const celsius = measureOf(reading('environment_temperature').value);
  if (celsius === null) return missing(limit, 'The dock does not say how warm it is outside.');
  // Inside when both distances are; the smaller one is what is left, or what is too much.
  const margin = Math.min(celsius - minimumCelsius, maximumCelsius - celsius);
  return judged(
    { go: margin >= 0, input: celsius, limit, margin },
    `It is ${celsius} °C at the dock, and ${limit} °C is allowed.`,
    celsius > maximumCelsius ? 'Wait until it is cooler.' : 'Wait until it is warmer.',
  );
}

export function judgeStorage({ facts, policy, reading }: Look): Judgement {
  const limit = Math.max(policy.storage.minimumMegabytes, Math.ceil(numberOf(facts.storageNeededMegabytes) ?? 0));
  const { value } = reading('storage');
  // Sizes have no number that means unknown, and a storage of no size is none.
  const totalKilobytes = numberOf(memberOf(value, 'total'));
  const usedKilobytes = numberOf(memberOf(value, 'used'));
  if (totalKilobytes === null || usedKilobytes === null || totalKilobytes <= 0 || usedKilobytes < 0) {
    return missing(limit, 'The dock does not say how much storage is free.');
  }
  const freeMegabytes = Math.floor(Math.max(0, totalKilobytes - usedKilobytes) / KILOBYTES_PER_MEGABYTE);
  return judged(
    atLeast(freeMegabytes, limit),
    `The dock has ${freeMegabytes} MB of storage free, and ${limit} is needed.`,
    'Let it upload its media, or clear its storage.',
  );
}

export function judgeRtk({ facts, reading }: Look): Judgement {
  const limit = 'calibrated, fixed';
  if (facts.positioning !== 'rtk' || facts.simulated) {
    const why = facts.simulated ? 'A simulated flight' : 'A flight by GPS';
    return judged({ go: true, input: null, limit, margin: null }, `${why} needs no RTK.`, '');
  }
  const { value } = reading('position_state');
  const calibration = choiceOf(memberOf(value, 'is_calibration'), [0, 1]);
  const fix = choiceOf(memberOf(value, 'is_fixed'), [0, 1, 2, 3]);
  const quality = measureOf(memberOf(value, 'quality'));
  const fixed = fix === null && quality === null ? null : fix === FIXED || (quality ?? 0) >= GOOD_QUALITY;

  // One of the two that is known to be bad is enough for a no-go; a go needs both.
  const bad = calibration === 0 || fixed === false;
  if (!bad && (calibration === null || fixed === null)) {
    return missing(limit, 'The dock does not say whether its position is calibrated and fixed.');
  }
  const input = [
    calibration === null ? 'calibration unknown' : calibration === 1 ? 'calibrated' : 'not calibrated',
    fixed === null ? 'fix unknown' : fixed ? 'fixed' : 'not fixed',
  ].join(', ');
  return judged(
    exactly(input, limit),
    `The position of the dock is ${input}.`,
    calibration === 0 ? "Calibrate the dock's position." : 'Wait for the fix, or fly by GPS.',
  );
}

export function judgeCover({ facts, reading }: Look): Judgement {
  const cover = choiceOf(reading('cover_state').value, [0, 1, 2, 3]);
  if (cover === null) return missing(COVER_STATES[0], 'The dock does not say whether its cover is closed.');
  if (facts.getsReadyForThis && (cover === 1 || cover === 2)) {
    const verdict = { go: true, input: COVER_STATES[cover], limit: COVER_STATES[0], margin: null };
    return judged(verdict, `The cover of the dock is ${COVER_STATES[cover]}: it gets ready for this mission.`, '');
  }
  return judged(
    exactly(COVER_STATES[cover], COVER_STATES[0]),
    `The cover of the dock is ${COVER_STATES[cover]}.`,
    cover === 3 ? 'Have it repaired.' : 'See that nothing is in its way, and close it.',
  );
}

export function judgeLandingPoint({ reading }: Look): Judgement {
  const configured = choiceOf(memberOf(reading('alternate_land_point').value, 'is_configured'), [0, 1]);
  if (configured === null) return missing(true, 'The dock does not say whether it has an alternate landing point.');
  return judged(
    exactly(configured === 1, true),
    `The dock has ${configured === 1 ? 'an' : 'no'} alternate landing point.`,
    'Set one at the dock: the aircraft lands there when it cannot land in it.',
  );
}

export function judgeFirmware({ reading }: Look): Judgement {
  const compatible = choiceOf(reading('compatible_status').value, [0, 1]);
  if (compatible === null) return missing('consistent', 'The dock does not say whether its firmware is consistent.');
  const input = compatible === 0 ? 'consistent' : 'needs an upgrade';
  return judged(
    exactly(input, 'consistent'),
    compatible === 0
      ? 'The firmware of dock and aircraft is consistent.'
      : 'The firmware of dock and aircraft does not fit together.',
    'Do the consistency upgrade.',
  );
}
