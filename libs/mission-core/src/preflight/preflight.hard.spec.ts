import { STAGES, aDock, aDockThatSaid, ask, askOf, someFacts } from './fixtures/facts.js';
import { DEFAULT_POLICY } from './preflight.policy.js';
import { preflight } from './preflight.js';
import type { PreflightFacts, RuleName, Stage } from './preflight.types.js';

const AT_TAKE_OFF = { plan: 'unknown', prepare: 'unknown', execute: 'no_go' } as const;
const stages = STAGES.map((stage) => ({ stage, verdict: AT_TAKE_OFF[stage] }));

/** Garbage, the vendor's word for unknown, and nothing in particular. */
const UNREADABLE = [null, '', 'yes', '0x1', 65_535, '65535', 32_767, NaN, Infinity, {}, [1], { value: 1 }];

it('says go for a healthy dock in fair weather at each stage', () => {
  for (const stage of STAGES) expect(preflight(someFacts({ stage }), DEFAULT_POLICY).verdict).toBe('go');
});

describe('dock_seen', () => {
  it.each([
    [0, 'go', 30_000],
    [29_999, 'go', 1],
    [30_000, 'go', 0],
    [30_001, 'no_go', -1],
    [3_600_000, 'no_go', -3_570_000],
    // A clock of ours that is a little ahead, and one that nobody can believe.
    [-200, 'go', 29_800],
    [-30_001, 'no_go', -1],
  ])('is, for a dock that was heard %p ms ago, %s', (seenAgoMs, verdict, margin) => {
    const result = ask('dock_seen', someFacts({ dock: aDock({}, { seenAgoMs }) }));
    expect(result).toMatchObject({ verdict, input: seenAgoMs, limit: 30_000, margin, unit: 'milliseconds' });
  });

  it.each(STAGES)('says no at %s for a dock that was never heard', (stage) => {
    for (const seenAgoMs of [null, NaN]) {
      const result = ask('dock_seen', someFacts({ stage, dock: aDock({}, { seenAgoMs }) }));
      expect(result).toMatchObject({ verdict: 'no_go', input: null, margin: null });
    }
  });

  it.each(STAGES)('says no at %s when nobody can say anything about the dock', (stage) => {
    expect(ask('dock_seen', someFacts({ stage, dock: null })).verdict).toBe('no_go');
  });
});

describe('emergency_stop', () => {
  it.each([
    [0, 'go', false],
    ['0', 'go', false],
    [false, 'go', false],
    [1, 'no_go', true],
    ['1', 'no_go', true],
    [true, 'no_go', true],
  ])('is, for a dock that says %p, %s', (emergency_stop_state, verdict, input) => {
    expect(askOf('emergency_stop', { emergency_stop_state })).toMatchObject({ verdict, input, limit: false });
  });

  it.each(STAGES)('passes at %s for a dock that never says it, but says the rest', (stage) => {
    const result = askOf('emergency_stop', { emergency_stop_state: undefined }, stage);
    expect(result).toMatchObject({ verdict: 'unknown', input: null });
  });

  it.each(['drone_in_dock', 'mode_code'])('says no at take-off to a dock that says neither it nor %s', (other) => {
    const values = { emergency_stop_state: undefined, [other]: undefined };
    expect(askOf('emergency_stop', values, 'execute').verdict).toBe('no_go');
    expect(askOf('emergency_stop', values, 'prepare').verdict).toBe('unknown');
  });

  it('says no at take-off to a dock that stopped saying it', () => {
    const dock = aDockThatSaid('emergency_stop_state', 30_001);
    expect(ask('emergency_stop', someFacts({ dock })).verdict).toBe('no_go');
  });
});

describe('aircraft_in_dock', () => {
  it.each([
    [1, 'go', true],
    ['1', 'go', true],
    [0, 'no_go', false],
    ['0', 'no_go', false],
  ])('is, for a dock that says %p, %s', (drone_in_dock, verdict, input) => {
    expect(askOf('aircraft_in_dock', { drone_in_dock })).toMatchObject({ verdict, input, limit: true });
  });
});

describe('dock_idle', () => {
  it.each([
    [0, 5, 'go', 'idle'],
    ['0', '5', 'go', 'idle'],
    [1, 5, 'no_go', 'on-site debugging'],
    [2, 5, 'no_go', 'remote debugging'],
    [3, 5, 'no_go', 'upgrading'],
    [4, 1, 'no_go', 'working, in flight'],
    [5, 5, 'no_go', 'to be calibrated'],
    [6, 5, 'no_go', 'mode 6'],
    [0, 0, 'no_go', 'preparing a flight'],
    [0, 4, 'no_go', 'updating terrain'],
    [0, 6, 'no_go', 'flight step 6'],
    [0, 255, 'no_go', 'aircraft fault'],
    [0, 256, 'no_go', 'flight step unknown to the dock'],
    // One of the two is enough for a no.
    [4, 65_535, 'no_go', 'working'],
    [65_535, 1, 'no_go', 'in flight'],
  ])('is, for mode %p and flight step %p, %s: %s', (mode_code, flighttask_step_code, verdict, input) => {
    const result = askOf('dock_idle', { mode_code, flighttask_step_code });
    expect(result).toMatchObject({ verdict, input, limit: 'idle' });
  });

  it('trusts the mode alone where the firmware never says the flight step', () => {
    expect(askOf('dock_idle', { flighttask_step_code: undefined })).toMatchObject({ verdict: 'go', input: 'idle' });
    expect(askOf('dock_idle', { mode_code: 4, flighttask_step_code: undefined }).verdict).toBe('no_go');
  });

  it.each(stages)('is $verdict at $stage when the dock stopped saying the flight step', ({ stage, verdict }) => {
    const dock = aDockThatSaid('flighttask_step_code', 30_001);
    expect(ask('dock_idle', someFacts({ stage, dock }))).toMatchObject({ verdict, input: null });
  });

  it.each(stages)('is $verdict at $stage when the flight step cannot be read', ({ stage, verdict }) => {
    expect(askOf('dock_idle', { flighttask_step_code: 65_535 }, stage).verdict).toBe(verdict);
  });
});

describe.each([
  ['aircraft_in_dock', 'drone_in_dock'],
  ['dock_idle', 'mode_code'],
  ['emergency_stop', 'emergency_stop_state'],
] as const)('%s without what it asks for', (rule: RuleName, property) => {
  const verdictOf = (stage: Stage, value: unknown) => askOf(rule, { [property]: value }, stage).verdict;

  it.each(stages)(`is $verdict at $stage when ${property} cannot be read`, ({ stage, verdict }) => {
    for (const value of UNREADABLE) expect([value, verdictOf(stage, value)]).toEqual([value, verdict]);
  });

  it.each(stages)('is $verdict at $stage when nobody can say anything about the dock', ({ stage, verdict }) => {
    expect(ask(rule, someFacts({ stage, dock: null }))).toMatchObject({ verdict, input: null, margin: null });
  });

  it.each([
    [30_000, 'go'],
    [30_001, 'no_go'],
    [-30_000, 'go'],
    [-30_001, 'no_go'],
    [NaN, 'no_go'],
  ])('takes what was said %p ms ago as %s at take-off', (agoMs, verdict) => {
    expect(ask(rule, someFacts({ dock: aDockThatSaid(property, agoMs) })).verdict).toBe(verdict);
  });
});

it.each([
  ['aircraft_in_dock', 'drone_in_dock'],
  ['dock_idle', 'mode_code'],
] as const)('%s says no at take-off to a dock that never said %s', (rule, property) => {
  expect(askOf(rule, { [property]: undefined }, 'execute').verdict).toBe('no_go');
  expect(askOf(rule, { [property]: undefined }, 'plan').verdict).toBe('unknown');
});

describe('log_export', () => {
  it.each([
    [false, 'go'],
    [true, 'no_go'],
  ])('is, while logs are exported %p, %s', (exportsLogs, verdict) => {
    expect(ask('log_export', someFacts({ exportsLogs }))).toMatchObject({ verdict, input: exportsLogs, limit: false });
  });
});

describe('cut_off', () => {
  it.each([
    [false, 'go'],
    [true, 'no_go'],
  ])('is, for a dock of which it is %p that it is cut off, %s', (cutOff, verdict) => {
    expect(ask('cut_off', someFacts({ cutOff }))).toMatchObject({ verdict, input: cutOff, limit: false });
  });
});

describe('clock_skew', () => {
  it.each([
    [0, 'go', 20_000],
    [19_999, 'go', 1],
    [20_000, 'go', 0],
    [20_001, 'no_go', -1],
    [-20_000, 'go', 0],
    [-20_001, 'no_go', -1],
  ])('is, for a clock that is %p ms off, %s', (clockSkewMs, verdict, margin) => {
    const result = ask('clock_skew', someFacts({ dock: aDock({}, { clockSkewMs }) }));
    expect(result).toMatchObject({ verdict, input: clockSkewMs, limit: 20_000, margin, unit: 'milliseconds' });
  });

  it.each(STAGES)('passes at %s when the clock was not measured', (stage) => {
    const result = ask('clock_skew', someFacts({ stage, dock: aDock({}, { clockSkewMs: null }) }));
    expect(result).toMatchObject({ verdict: 'unknown', input: null, margin: null });
  });
});

describe('a dock that gets ready for this mission', () => {
  const opened = aDock({ mode_code: 4, flighttask_step_code: 5, cover_state: 1 });
  const rules = ['dock_idle', 'cover'] as const;
  const verdicts = (facts: PreflightFacts) => rules.map((rule) => ask(rule, facts).verdict);

  it('may be busy and open', () => {
    expect(verdicts(someFacts({ dock: opened, getsReadyForThis: true }))).toEqual(['go', 'go']);
    expect(verdicts(someFacts({ dock: opened }))).toEqual(['no_go', 'no_go']);
  });

  it.each([
    ['in flight', { mode_code: 4, flighttask_step_code: 1 }],
    ['in debugging', { mode_code: 2, flighttask_step_code: 5 }],
  ])('is busy all the same while it is %s', (_what, values) => {
    expect(ask('dock_idle', someFacts({ dock: aDock(values), getsReadyForThis: true })).verdict).toBe('no_go');
  });

  it('has a faulty cover all the same', () => {
    const dock = aDock({ mode_code: 4, cover_state: 3 });
    expect(ask('cover', someFacts({ dock, getsReadyForThis: true })).verdict).toBe('no_go');
  });
});

describe('unknown_outcome', () => {
  it('holds what starts by itself while nobody knows how the last mission ended', () => {
    const result = ask('unknown_outcome', someFacts({ automatic: true, blockedBy: 'mission-7' }));
    expect(result).toMatchObject({ verdict: 'no_go', input: 'mission-7' });
    expect(result.message).toContain('resolve that mission');
  });

  it('lets go on after a flight that was seen to be over, unless the policy wants a person', () => {
    const facts = someFacts({ automatic: true, blockedBy: 'mission-7', blockedBySeenOver: true });
    expect(ask('unknown_outcome', facts)).toMatchObject({ verdict: 'go', input: 'mission-7' });
    const waits = { ...DEFAULT_POLICY, unknown_outcome: { afterSeenOver: 'fail' } } as const;
    expect(ask('unknown_outcome', facts, waits)).toMatchObject({ verdict: 'no_go', input: 'mission-7' });
  });

  it('leaves the decision to a person who starts the mission, and says so', () => {
    const result = ask('unknown_outcome', someFacts({ automatic: false, blockedBy: 'mission-7' }));
    expect(result).toMatchObject({ verdict: 'go', input: 'mission-7' });
    expect(result.message).toContain('A person starts this one, and takes the decision.');
  });

  it.each([true, false])('lets a mission pass, automatic %p, when nothing is unresolved', (automatic) => {
    expect(ask('unknown_outcome', someFacts({ automatic }))).toMatchObject({ verdict: 'go', input: null });
  });
});

describe('distance', () => {
  const at = (farthestMeters: number) => ({ firstMeters: 10, farthestMeters, lastMeters: 20 });
  const allowing = (maximumMeters: number) => ({ ...DEFAULT_POLICY, distance: { maximumMeters } });

  it.each([
    [0, 'go', 20, 4_980],
    [4_999.2, 'go', 5_000, 0],
    [5_000, 'go', 5_000, 0],
    [5_000.1, 'no_go', 5_001, -1],
    [9_700_000, 'no_go', 9_700_000, -9_695_000],
  ])('is, for a farthest waypoint in %p m, %s by default', (meters, verdict, input, margin) => {
    for (const stage of STAGES) {
      for (const automatic of [true, false]) {
        const result = ask('distance', someFacts({ stage, automatic, distances: at(meters) }));
        expect(result).toMatchObject({ verdict, input, limit: 5_000, margin, unit: 'meters', hard: true });
      }
    }
  });

  it('counts the first and the last waypoint, too', () => {
    const distances = { firstMeters: 6_000, farthestMeters: 0, lastMeters: 0 };
    expect(ask('distance', someFacts({ distances })).verdict).toBe('no_go');
    expect(ask('distance', someFacts({ distances: { ...distances, firstMeters: 0, lastMeters: 6_000 } })).input).toBe(
      6_000,
    );
  });

  it('follows the policy of the organisation', () => {
    expect(ask('distance', someFacts({ distances: at(800) }), allowing(500))).toMatchObject({
      verdict: 'no_go',
      limit: 500,
    });
    expect(ask('distance', someFacts({ distances: at(8_000) }), allowing(9_000))).toMatchObject({
      verdict: 'go',
      limit: 9_000,
    });
  });

  it('allows no more than 15 km, whatever a stored policy says', () => {
    const result = ask('distance', someFacts({ distances: at(15_001) }), allowing(1e9));
    expect(result).toMatchObject({ verdict: 'no_go', limit: 15_000, margin: -1 });
    expect(ask('distance', someFacts({ distances: at(15_000) }), allowing(1e9)).verdict).toBe('go');
  });

  it.each(stages)('is $verdict at $stage for an automatic mission of a dock with an unknown position', (expected) => {
    const { stage, verdict } = expected;
    const result = ask('distance', someFacts({ stage, automatic: true, distances: null }));
    expect(result).toMatchObject({ verdict, input: null, limit: 5_000, margin: null });
    expect(result.message).toContain('PUT /api/v1/docks/{sn}/position');
  });

  it.each(STAGES)('passes at %s for a mission that a person starts while the position is unknown', (stage) => {
    expect(ask('distance', someFacts({ stage, automatic: false, distances: null })).verdict).toBe('unknown');
  });

  it.each([at(NaN), at(Infinity), { ...at(100), firstMeters: NaN }])('takes %j for unknown', (distances) => {
    expect(ask('distance', someFacts({ distances }))).toMatchObject({ verdict: 'no_go', input: null });
  });

  it.each([null, at(9_700_000)])('is not asked of a simulated mission with %j', (distances) => {
    expect(ask('distance', someFacts({ simulated: true, distances }))).toMatchObject({ verdict: 'go', input: null });
  });
});
