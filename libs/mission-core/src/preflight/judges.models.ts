import { compareAircraft } from './aircraft-models.js';
import { memberOf } from './readings.js';
import { type Judgement, type Look, exactly, judged, missing } from './rule.js';

/** `domain-type-sub_type` of an aircraft; domain 0. [Cloud API, product support] */
const AIRCRAFT_KEY = /^0-\d{1,5}-\d{1,5}$/;

export function judgeAircraftModel(look: Look): Judgement {
  const { route, dockModel } = look.facts.models;
  const comparison = compareAircraft(route, dockModel, reportedAircraft(look));
  if (comparison.kind === 'unknown') {
    return missing(comparison.route, `The route was made for ${comparison.route}, and ${comparison.because}.`);
  }
  const verdict = { input: comparison.aircraft, limit: comparison.route, margin: null };
  if (comparison.kind === 'fits') {
    return judged(
      { go: true, ...verdict },
      `The route was made for ${comparison.route}, and the dock has ${comparison.aircraft}.`,
      '',
    );
  }
  return judged(
    { go: false, ...verdict },
    `The route was made for ${comparison.route}, and the dock has ${comparison.aircraft}.`,
    'Use a route that was made for this aircraft.',
  );
}

/** A dock gets the commands of its model: with the wrong one it gets fields that it does not know. */
export function judgeDockModel({ facts: { models } }: Look): Judgement {
  const { registeredModel, reportedModel } = models;
  if (registeredModel === null || reportedModel === null) {
    return missing(registeredModel, 'The dock has not reported its model.');
  }
  return judged(
    exactly(reportedModel, registeredModel),
    `The dock reports that it is a ${reportedModel}, and it is registered as a ${registeredModel}.`,
    'If the report is right, correct the registration (PATCH /docks/{sn}); otherwise another dock uses its credentials.',
  );
}

/** Its telemetry names the aircraft also while that is off; its last topology or its binding may be older. */
function reportedAircraft({ facts, reading }: Look): string | null {
  const device = reading('sub_device').value;
  // [Cloud API] The table of Dock 1 calls it product_type.
  const key = memberOf(device, 'device_model_key') ?? memberOf(device, 'product_type');
  return typeof key === 'string' && AIRCRAFT_KEY.test(key) ? key : facts.models.aircraftKey;
}
