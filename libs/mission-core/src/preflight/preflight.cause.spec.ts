import { aDock, someFacts } from './fixtures/facts.js';
import { causeOf, failedRules } from './preflight.cause.js';
import { DEFAULT_POLICY } from './preflight.policy.js';
import { preflight } from './preflight.js';
import type { DockFacts, PreflightFacts } from './preflight.types.js';

const resultOf = (given: Partial<PreflightFacts>) => preflight(someFacts(given), DEFAULT_POLICY);
const dock = (values: Readonly<Record<string, unknown>>, given?: Partial<DockFacts>) => ({
  dock: aDock(values, given),
});

const FLYING = {
  mode_code: 4,
  flighttask_step_code: 1,
  drone_in_dock: 0,
  cover_state: 1,
  drone_charge_state: undefined,
  drone_battery_maintenance_info: undefined,
};

it('lists the rules that said no, in the order of the table', () => {
  expect(failedRules(resultOf(dock(FLYING)))).toEqual(['aircraft_in_dock', 'dock_idle', 'battery', 'cover']);
});

it('lists nothing for a go', () => {
  expect(failedRules(resultOf({}))).toEqual([]);
});

describe('the cause of a no-go', () => {
  it.each([
    ['a silent dock', dock({}, { seenAgoMs: 60_000 }), 'dock_offline'],
    ['a dock of which nothing is known', { dock: null }, 'dock_offline'],
    ['a pressed emergency stop', dock({ emergency_stop_state: 1 }), 'preflight_no_go'],
    ['an aircraft that is not there', dock({ drone_in_dock: 0 }), 'preflight_no_go'],
    ['a wrong clock', dock({}, { clockSkewMs: 60_000 }), 'preflight_no_go'],
    ['wind', dock({ wind_speed: 20 }), 'preflight_no_go'],
    ['an unresolved mission', { blockedBy: 'mission-7' }, 'dock_unknown_state'],
    ['a dock at work', dock({ mode_code: 4 }), 'dock_busy'],
    ['a dock in remote debugging', dock({ mode_code: 2 }), 'dock_busy'],
    ['a dock in on-site debugging', dock({ mode_code: 1 }), 'dock_fault'],
    ['a dock that is upgraded', dock({ mode_code: 3 }), 'dock_fault'],
    ['a dock that is to be calibrated', dock({ mode_code: 5 }), 'dock_fault'],
    ['an aircraft fault', dock({ mode_code: 4, flighttask_step_code: 255 }), 'dock_fault'],
    ['a flight step that the dock does not know', dock({ flighttask_step_code: 256 }), 'dock_fault'],
    ['a log export', { exportsLogs: true }, 'dock_busy'],
    ['a dock that is cut off', { cutOff: true }, 'dock_cut_off'],
  ])('is, for %s, its own', (_what, given, cause) => {
    expect(causeOf(resultOf(given))).toBe(cause);
  });

  it.each([
    [
      'silence over everything',
      { ...dock({ ...FLYING, wind_speed: 20 }, { seenAgoMs: null }), blockedBy: 'm' },
      'dock_offline',
    ],
    [
      'a cut-off over the silence that follows from it',
      { ...dock({}, { seenAgoMs: null }), cutOff: true },
      'dock_cut_off',
    ],
    [
      'wind over an unresolved mission and a log export',
      { ...dock({ wind_speed: 20 }), blockedBy: 'm', exportsLogs: true },
      'preflight_no_go',
    ],
    ['an unresolved mission over a busy dock', { ...dock({ mode_code: 4 }), blockedBy: 'm' }, 'dock_unknown_state'],
  ])('puts %s', (_what, given, cause) => {
    expect(causeOf(resultOf(given))).toBe(cause);
  });

  it('is that the dock is busy while it flies another mission: the rest follows from it', () => {
    expect(causeOf(resultOf(dock(FLYING)))).toBe('dock_busy');
  });

  it('is the wind while the dock flies another mission in it', () => {
    expect(causeOf(resultOf(dock({ ...FLYING, wind_speed: 20 })))).toBe('preflight_no_go');
  });

  it('is not that the dock is busy when it does not say what it does and where its aircraft is', () => {
    expect(causeOf(resultOf(dock({ mode_code: undefined, drone_in_dock: undefined })))).toBe('preflight_no_go');
  });
});
