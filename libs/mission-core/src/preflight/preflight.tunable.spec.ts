import { HEALTHY, STAGES, aDock, aDockThatSaid, ask, askOf, someFacts } from './fixtures/facts.js';
import { DEFAULT_POLICY, type PreflightPolicy } from './preflight.policy.js';
import type { TunableRuleName } from './preflight.types.js';

const MINUTE_MS = 60_000;

const charged = (percent: unknown) => ({ drone_charge_state: { capacity_percent: percent, state: 0 } });
const maintained = (...percents: unknown[]) => ({
  drone_battery_maintenance_info: { batteries: percents.map((capacity_percent) => ({ capacity_percent })) },
});

describe('battery', () => {
  const askFor = (minutes: number, values: Readonly<Record<string, unknown>>) =>
    ask('battery', someFacts({ plannedDurationMs: minutes * MINUTE_MS, dock: aDock(values) }));

  it.each([
    // Up to 5 minutes the minimum is the higher limit, then 2 percent a minute with 20 in reserve.
    [0, 30, 'go', 30, 0],
    [5, 30, 'go', 30, 0],
    [5, 29, 'no_go', 30, -1],
    [5, 31, 'go', 30, 1],
    [6, 31, 'no_go', 32, -1],
    [6, 32, 'go', 32, 0],
    [30, 80, 'go', 80, 0],
    [30, 79, 'no_go', 80, -1],
    [30.1, 80, 'no_go', 81, -1],
  ])('is, for %p minutes with %p percent, %s', (minutes, percent, verdict, limit, margin) => {
    expect(askFor(minutes, charged(percent))).toMatchObject({
      verdict,
      input: percent,
      limit,
      margin,
      unit: 'percent',
    });
  });

  it('tells to shorten a flight that no battery can bear', () => {
    expect(askFor(41, charged(100))).toMatchObject({ verdict: 'no_go', limit: 102, margin: -2 });
    expect(askFor(41, charged(100)).message).toContain('Shorten the flight: no battery holds that much.');
  });

  it.each([
    ['the emptiest battery', [80, 60, 70], 60],
    ['the one battery that is known', [32_767, 70], 70],
    ['a battery that says it as text', ['71', '72.5'], 71],
  ])('takes %s from the maintenance data where the charger says nothing', (_what, percents, input) => {
    expect(askFor(5, { ...maintained(...percents), drone_charge_state: undefined }).input).toBe(input);
    expect(askFor(5, { ...maintained(...percents), ...charged(32_767) }).input).toBe(input);
  });

  it('believes the charger first', () => {
    expect(askFor(5, { ...charged('44'), ...maintained(90) }).input).toBe(44);
  });

  it.each([
    ['says nothing', {}],
    ['says unknown', charged(32_767)],
    ['says more than all', charged(101)],
    ['says less than nothing', charged(-1)],
    ['says unknown of each battery', maintained(32_767, 65_535)],
    ['has no list of batteries', { drone_battery_maintenance_info: { batteries: 'two' } }],
    ['has no batteries in its list', { drone_battery_maintenance_info: { batteries: [null, 7, []] } }],
  ])('says no for want of a charge when the dock %s', (_what, values) => {
    const silent = { drone_charge_state: undefined, drone_battery_maintenance_info: undefined };
    expect(askFor(5, { ...silent, ...values })).toMatchObject({ verdict: 'no_go', input: null, limit: 30 });
  });

  it('says no for want of a duration', () => {
    expect(askFor(NaN, {})).toMatchObject({ verdict: 'no_go', input: null, margin: null });
  });
});

describe('rain', () => {
  it.each([
    [0, 'go', 1],
    [1, 'go', 0],
    ['1', 'go', 0],
    [2, 'no_go', -1],
    [3, 'no_go', -2],
    // A word of a newer firmware is hardly for drizzle.
    [4, 'no_go', -3],
  ])('is, at level %p, %s', (rainfall, verdict, margin) => {
    const result = askOf('rain', { rainfall });
    expect(result).toMatchObject({ verdict, input: Number(rainfall), limit: 1, margin, unit: 'level' });
  });
});

describe('wind', () => {
  it.each([
    [0, 'go'],
    [11.9, 'go'],
    [12, 'go'],
    ['12', 'go'],
    [12.1, 'no_go'],
    [30, 'no_go'],
  ])('is, at %p m/s, %s', (wind_speed, verdict) => {
    const result = askOf('wind', { wind_speed });
    expect(result).toMatchObject({ verdict, input: Number(wind_speed), limit: 12, unit: 'metersPerSecond' });
    expect(result.margin).toBeCloseTo(12 - Number(wind_speed));
  });
});

describe('temperature', () => {
  it.each([
    [-20, 'go', 0],
    [-19, 'go', 1],
    [-21, 'no_go', -1],
    [45, 'go', 0],
    [44, 'go', 1],
    [46, 'no_go', -1],
    ['18', 'go', 27],
  ])('is, at %p °C, %s', (environment_temperature, verdict, margin) => {
    const result = askOf('temperature', { environment_temperature });
    const input = Number(environment_temperature);
    expect(result).toMatchObject({ verdict, input, limit: '-20 to 45', margin, unit: 'celsius' });
  });

  it.each([
    [-21, 'warmer'],
    [46, 'cooler'],
  ])('tells at %p °C to wait until it is %s', (environment_temperature, wish) => {
    expect(askOf('temperature', { environment_temperature }).message).toContain(wish);
  });
});

describe('storage', () => {
  const KILOBYTES = 1024;
  const free = (megabytes: number) => ({
    storage: { total: 30_000 * KILOBYTES, used: (30_000 - megabytes) * KILOBYTES },
  });
  const askFor = (storageNeededMegabytes: number | null, megabytes: number) =>
    ask('storage', someFacts({ storageNeededMegabytes, dock: aDock(free(megabytes)) }));

  it.each([
    [null, 1_024, 'go', 1_024, 0],
    [null, 1_023, 'no_go', 1_024, -1],
    [null, 1_025, 'go', 1_024, 1],
    // What the mission needs counts where it is more.
    [500, 1_024, 'go', 1_024, 0],
    [5_000, 5_000, 'go', 5_000, 0],
    [5_000, 4_999, 'no_go', 5_000, -1],
    [4_999.5, 4_999, 'no_go', 5_000, -1],
  ])('is, for a need of %p MB with %p MB free, %s', (needed, megabytes, verdict, limit, margin) => {
    expect(askFor(needed, megabytes)).toMatchObject({ verdict, input: megabytes, limit, margin, unit: 'megabytes' });
  });

  it('counts what is not a whole megabyte as none', () => {
    const storage = { total: 1_024 * KILOBYTES, used: 1 };
    expect(askOf('storage', { storage })).toMatchObject({ verdict: 'no_go', input: 1_023 });
  });

  it('reads sizes that elsewhere mean unknown', () => {
    expect(askOf('storage', { storage: { total: '30773248', used: 65_535 } }).input).toBe(29_988);
  });

  it('calls a storage full that is more than full', () => {
    expect(askOf('storage', { storage: { total: 10, used: 11 } })).toMatchObject({ verdict: 'no_go', input: 0 });
  });

  it.each([{ total: 0, used: 0 }, { total: 10 }, { used: 10 }, { total: 10, used: -1 }, 7])(
    'knows nothing of %p',
    (storage) => {
      expect(askOf('storage', { storage })).toMatchObject({ verdict: 'unknown', input: null });
    },
  );
});

describe('rtk', () => {
  it.each([
    [{ is_calibration: 1, is_fixed: 2, quality: 1 }, 'go', 'calibrated, fixed'],
    [{ is_calibration: 1, is_fixed: 1, quality: 5 }, 'go', 'calibrated, fixed'],
    [{ is_calibration: 1, is_fixed: 3, quality: 10 }, 'go', 'calibrated, fixed'],
    [{ is_calibration: '1', is_fixed: '2' }, 'go', 'calibrated, fixed'],
    [{ is_calibration: 1, quality: 5 }, 'go', 'calibrated, fixed'],
    [{ is_calibration: 1, is_fixed: 1, quality: 4 }, 'no_go', 'calibrated, not fixed'],
    [{ is_calibration: 1, is_fixed: 1, quality: 65_535 }, 'no_go', 'calibrated, not fixed'],
    [{ is_calibration: 1, is_fixed: 3 }, 'no_go', 'calibrated, not fixed'],
    [{ is_calibration: 0, is_fixed: 2, quality: 10 }, 'no_go', 'not calibrated, fixed'],
    [{ is_calibration: 0 }, 'no_go', 'not calibrated, fix unknown'],
    [{ quality: 4 }, 'no_go', 'calibration unknown, not fixed'],
    // Unknown in one, good in the other: the default lets neither fly.
    [{ is_calibration: 1 }, 'no_go', null],
    [{ is_fixed: 2 }, 'no_go', null],
    [{ is_calibration: 65_535, is_fixed: 2 }, 'no_go', null],
    [{}, 'no_go', null],
  ])('is, for %p, %s', (position_state, verdict, input) => {
    expect(askOf('rtk', { position_state })).toMatchObject({
      verdict,
      input,
      limit: 'calibrated, fixed',
      margin: null,
    });
  });

  it.each([{ positioning: 'gps' }, { simulated: true }] as const)('does not mind for a mission with %p', (given) => {
    const dock = aDock({ position_state: { is_calibration: 0 } });
    expect(ask('rtk', someFacts({ dock, ...given }))).toMatchObject({ verdict: 'go', input: null });
  });
});

describe('cover', () => {
  it.each([
    [0, 'go', 'closed'],
    ['0', 'go', 'closed'],
    [1, 'no_go', 'open'],
    [2, 'no_go', 'half open'],
    [3, 'no_go', 'faulty'],
    [4, 'unknown', null],
  ])('is, in state %p, %s', (cover_state, verdict, input) => {
    expect(askOf('cover', { cover_state })).toMatchObject({ verdict, input, limit: 'closed' });
  });

  it('tells to repair a faulty one', () => {
    expect(askOf('cover', { cover_state: 3 }).message).toContain('repaired');
  });
});

describe('landing_point', () => {
  it.each([
    [{ is_configured: 1 }, 'go', true],
    [{ is_configured: '1' }, 'go', true],
    [{ is_configured: 0 }, 'no_go', false],
    [{}, 'unknown', null],
  ])('is, for %p, %s', (alternate_land_point, verdict, input) => {
    expect(askOf('landing_point', { alternate_land_point })).toMatchObject({ verdict, input, limit: true });
  });
});

describe('firmware', () => {
  it.each([
    [0, 'go', 'consistent'],
    [1, 'no_go', 'needs an upgrade'],
    [2, 'unknown', null],
    [undefined, 'unknown', null],
  ])('is, for %p, %s', (compatible_status, verdict, input) => {
    expect(askOf('firmware', { compatible_status })).toMatchObject({ verdict, input, limit: 'consistent' });
  });

  it('believes what the dock said a month ago, because it is sent on change only', () => {
    const agoMs = 30 * 24 * 60 * MINUTE_MS;
    expect(ask('firmware', someFacts({ dock: aDockThatSaid('compatible_status', agoMs) })).verdict).toBe('go');
  });
});

const READS: { readonly [N in TunableRuleName]: readonly string[] } = {
  battery: ['drone_charge_state', 'drone_battery_maintenance_info'],
  rain: ['rainfall'],
  wind: ['wind_speed'],
  temperature: ['environment_temperature'],
  storage: ['storage'],
  rtk: ['position_state'],
  cover: ['cover_state'],
  landing_point: ['alternate_land_point'],
  firmware: ['compatible_status'],
};
const TUNABLE = Object.keys(READS) as TunableRuleName[];

const withRule = (rule: TunableRuleName, given: Partial<PreflightPolicy['rtk']>): PreflightPolicy => ({
  ...DEFAULT_POLICY,
  [rule]: { ...DEFAULT_POLICY[rule], ...given },
});

describe.each(TUNABLE)('%s without an input', (rule) => {
  const silent = aDock(Object.fromEntries(READS[rule].map((name) => [name, undefined])));

  it.each(STAGES)('means at %s what the policy says', (stage) => {
    const facts = someFacts({ stage, dock: silent });
    const verdictOf = (whenUnknown: 'pass' | 'fail') => ask(rule, facts, withRule(rule, { whenUnknown })).verdict;
    expect([verdictOf('pass'), verdictOf('fail')]).toEqual(['unknown', 'no_go']);
  });

  it.each([null, 'wet', 65_535, '32767', NaN, -Infinity, [], { total: {} }])('does not take %p for one', (value) => {
    const garbage = aDock(Object.fromEntries(READS[rule].map((name) => [name, value])));
    const result = ask(rule, someFacts({ dock: garbage }), withRule(rule, { whenUnknown: 'pass' }));
    expect(result).toMatchObject({ verdict: 'unknown', input: null, margin: null });
  });

  it('has nothing to say no to when it is switched off', () => {
    const result = ask(rule, someFacts({ dock: silent }), withRule(rule, { enabled: false, whenUnknown: 'fail' }));
    expect(result.verdict).toBe('off');
  });
});

it.each([
  ['rain', { rainfall: -1 }],
  ['wind', { wind_speed: -0.1 }],
] as const)('%s takes %p for no reading at all', (rule, values) => {
  expect(ask(rule, someFacts({ dock: aDock(values) })).input).toBeNull();
});

it('by default says no where a wrong guess can cost the aircraft, and lets the rest pass unknown', () => {
  const silent = aDock({}, { properties: {} });
  const verdicts = TUNABLE.map((rule) => [rule, ask(rule, someFacts({ dock: silent })).verdict]);
  expect(Object.fromEntries(verdicts)).toEqual({
    battery: 'no_go',
    rain: 'no_go',
    wind: 'no_go',
    temperature: 'unknown',
    storage: 'unknown',
    rtk: 'no_go',
    cover: 'unknown',
    landing_point: 'unknown',
    firmware: 'unknown',
  });
});

it.each(TUNABLE.filter((rule) => rule !== 'firmware'))('%s does not believe what is older than 30 s', (rule) => {
  const verdictAt = (agoMs: number) => {
    const old = Object.fromEntries(READS[rule].map((name) => [name, { value: HEALTHY[name], agoMs }]));
    const dock = aDock({}, { properties: { ...aDock().properties, ...old } });
    return ask(rule, someFacts({ dock }), withRule(rule, { whenUnknown: 'fail' })).verdict;
  };
  expect([verdictAt(30_000), verdictAt(30_001)]).toEqual(['go', 'no_go']);
});

it('shows what a rule found that is switched off', () => {
  const result = ask('wind', someFacts({ dock: aDock({ wind_speed: 20 }) }), withRule('wind', { enabled: false }));
  expect(result).toMatchObject({ verdict: 'off', input: 20, limit: 12, margin: -8 });
});

it('holds the limits of the organisation, not the default ones', () => {
  const policy: PreflightPolicy = {
    ...DEFAULT_POLICY,
    wind: { ...DEFAULT_POLICY.wind, maximumMetersPerSecond: 8 },
    battery: { ...DEFAULT_POLICY.battery, percentPerMinute: 3, reservePercent: 25 },
  };
  expect(ask('wind', someFacts({ dock: aDock({ wind_speed: 8.1 }) }), policy)).toMatchObject({
    verdict: 'no_go',
    limit: 8,
  });
  expect(ask('battery', someFacts(), policy).limit).toBe(55);
});
