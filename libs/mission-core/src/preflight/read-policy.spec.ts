import fc from 'fast-check';
import { DEFAULT_POLICY, type PreflightPolicy } from './preflight.policy.js';
import { readPolicy } from './read-policy.js';

const policyOf = (input: unknown): PreflightPolicy => {
  const read = readPolicy(input);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.policy;
};
const fieldsOf = (input: unknown): string[] => {
  const read = readPolicy(input);
  return 'problems' in read ? read.problems.map(({ field }) => field) : [];
};

it('takes a document that says nothing as the default', () => {
  expect(policyOf({})).toEqual(DEFAULT_POLICY);
  expect(policyOf({ wind: {}, rain: undefined })).toEqual(DEFAULT_POLICY);
});

it('reads the default as it is, also after a way through JSON', () => {
  expect(policyOf(JSON.parse(JSON.stringify(DEFAULT_POLICY)))).toEqual(DEFAULT_POLICY);
});

it('keeps what a document says and takes the rest from the default', () => {
  expect(
    policyOf({ wind: { maximumMetersPerSecond: 8 }, rtk: { whenUnknown: 'pass' }, cover: { enabled: false } }),
  ).toEqual({
    ...DEFAULT_POLICY,
    wind: { ...DEFAULT_POLICY.wind, maximumMetersPerSecond: 8 },
    rtk: { enabled: true, whenUnknown: 'pass' },
    cover: { enabled: false, whenUnknown: 'pass' },
  });
});

it.each([null, undefined, 7, 'default', [], [{}], true])('refuses %p, which is no document', (input) => {
  expect(fieldsOf(input)).toEqual(['']);
});

it.each([
  // A hard rule is not in a policy, and a misspelt limit would not hold.
  [{ dock_idle: { enabled: false } }, 'dock_idle'],
  [{ distance: { enabled: false } }, 'distance.enabled'],
  [{ unknown_outcome: { enabled: false } }, 'unknown_outcome.enabled'],
  [{ unknown_outcome: { afterSeenOver: 'free' } }, 'unknown_outcome.afterSeenOver'],
  [{ wind: { maximumMeterPerSecond: 8 } }, 'wind.maximumMeterPerSecond'],
  [{ rtk: { minimumPercent: 30 } }, 'rtk.minimumPercent'],
  [JSON.parse('{"__proto__":{"enabled":false}}'), '__proto__'],
  [{ constructor: {} }, 'constructor'],
  [{ wind: 12 }, 'wind'],
  [{ wind: null }, 'wind'],
  [{ wind: [] }, 'wind'],
  [{ wind: { enabled: 'no' } }, 'wind.enabled'],
  [{ wind: { enabled: null } }, 'wind.enabled'],
  [{ wind: { whenUnknown: 'go' } }, 'wind.whenUnknown'],
  [{ wind: { maximumMetersPerSecond: '8' } }, 'wind.maximumMetersPerSecond'],
  [{ wind: { maximumMetersPerSecond: null } }, 'wind.maximumMetersPerSecond'],
  [{ wind: { maximumMetersPerSecond: NaN } }, 'wind.maximumMetersPerSecond'],
  [{ rain: { maximumLevel: 0.5 } }, 'rain.maximumLevel'],
])('refuses %j and names the field', (input, field) => {
  expect(fieldsOf(input)).toEqual([field]);
});

it.each([
  ['battery', 'minimumPercent', 15, 100],
  ['battery', 'percentPerMinute', 1, 20],
  ['battery', 'reservePercent', 10, 80],
  ['rain', 'maximumLevel', 0, 2],
  ['wind', 'maximumMetersPerSecond', 1, 15],
  ['temperature', 'minimumCelsius', -35, 44],
  ['temperature', 'maximumCelsius', -19, 50],
  ['storage', 'minimumMegabytes', 0, 1_048_576],
  ['distance', 'maximumMeters', 50, 15_000],
] as const)('allows %s.%s from %p to %p and nothing beyond', (rule, member, min, max) => {
  const accepts = (value: number) => 'policy' in readPolicy({ [rule]: { [member]: value } });
  expect([min - 1, min, max, max + 1].map(accepts)).toEqual([false, true, true, false]);
});

it('says why a number is out of bounds', () => {
  expect(readPolicy({ wind: { maximumMetersPerSecond: 20 } })).toEqual({
    problems: [
      {
        field: 'wind.maximumMetersPerSecond',
        message: 'must be from 1 to 15: no aircraft of a dock is rated for more than 15 m/s',
      },
    ],
  });
});

it('tells all problems at once', () => {
  const input = { fog: {}, battery: { enabled: 1, reservePercent: 0 }, rain: { maximumLevel: 9 } };
  expect(fieldsOf(input)).toEqual(['fog', 'battery.enabled', 'battery.reservePercent', 'rain.maximumLevel']);
});

it.each([{ minimumCelsius: 10, maximumCelsius: 10 }, { minimumCelsius: 46 }, { maximumCelsius: -21 }])(
  'refuses the temperatures %p, between which nothing lies',
  (temperature) => {
    expect(fieldsOf({ temperature })).toEqual(['temperature.minimumCelsius']);
  },
);

it('gives for any input either a policy with all members of the default, or problems', () => {
  const member = fc.oneof(fc.boolean(), fc.double(), fc.constantFrom('pass', 'fail'), fc.anything());
  const rule = fc.constantFrom(...Object.keys(DEFAULT_POLICY));
  const name = fc.constantFrom('enabled', 'whenUnknown', 'maximumLevel', 'minimumCelsius', 'minimumPercent');
  const document = fc.oneof(fc.anything(), fc.dictionary(rule, fc.oneof(fc.dictionary(name, member), fc.anything())));
  fc.assert(
    fc.property(document, (input) => {
      const read = readPolicy(input);
      if ('problems' in read) expect(read.problems.length).toBeGreaterThan(0);
      else expect(readPolicy(read.policy)).toEqual({ policy: read.policy });
    }),
    { numRuns: 1_000 },
  );
});
