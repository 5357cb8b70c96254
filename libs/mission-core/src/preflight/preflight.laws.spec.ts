import { RUNS } from '@aerie/property-testing';
import fc from 'fast-check';
import { HEALTHY, STAGES, aDock, someFacts } from './fixtures/facts.js';
import { DEFAULT_POLICY, type PreflightPolicy } from './preflight.policy.js';
import { preflight } from './preflight.js';
import type { DockFacts, PreflightFacts } from './preflight.types.js';
import { PREFLIGHT_PROPERTIES, RULE_NAMES, rules } from './rules.js';

const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, 1, 5, 30_000, 32_767, 65_535, NaN, -Infinity));
const anyValue = fc.oneof(
  anyNumber,
  anyNumber.map(String),
  fc.boolean(),
  fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true }),
  fc.dictionary(
    fc.constantFrom('capacity_percent', 'batteries', 'total', 'used', 'is_fixed', 'is_calibration', 'quality'),
    fc.oneof(anyNumber, fc.array(fc.record({ capacity_percent: anyNumber })), fc.anything()),
  ),
  fc.constantFrom(...Object.values(HEALTHY)),
);
const anyName = fc.oneof(
  fc.constantFrom(...PREFLIGHT_PROPERTIES),
  fc.constantFrom('__proto__', 'toString'),
  fc.string(),
);
const anyProperties = fc.dictionary(
  anyName,
  fc.oneof(
    { weight: 9, arbitrary: fc.record({ value: anyValue, agoMs: fc.oneof(fc.nat(60_000), anyNumber) }) },
    { weight: 1, arbitrary: fc.anything() as fc.Arbitrary<{ value: unknown; agoMs: number }> },
  ),
);
const anyDock: fc.Arbitrary<DockFacts> = fc.record({
  seenAgoMs: fc.option(fc.oneof(fc.nat(60_000), anyNumber)),
  inSightForMs: fc.option(fc.oneof(fc.nat(60_000), anyNumber)),
  clockSkewMs: fc.option(anyNumber),
  properties: anyProperties,
});
const anyKey = fc.oneof(fc.constantFrom('0-91-1', '0-67-0', '0-100-1', '0-77-0', '0-98-0'), fc.string());
const anyModels: fc.Arbitrary<PreflightFacts['models']> = fc.record({
  route: fc.record({
    aircraftKey: anyKey,
    namesSubType: fc.boolean(),
    payloadKeys: fc.option(fc.array(fc.oneof(fc.constantFrom('1-81-0', '1-53-0', '1-65535-0'), fc.string()))),
  }),
  dockModel: fc.constantFrom('dock1', 'dock2', 'dock3'),
  registeredModel: fc.option(fc.constantFrom('dock1', 'dock2', 'dock3')),
  reportedModel: fc.option(fc.constantFrom('dock1', 'dock2', 'dock3')),
  aircraftKey: fc.option(anyKey),
});
const anyFacts: fc.Arbitrary<PreflightFacts> = fc.record({
  stage: fc.constantFrom(...STAGES),
  automatic: fc.boolean(),
  simulated: fc.boolean(),
  positioning: fc.constantFrom('gps', 'rtk'),
  plannedDurationMs: anyNumber,
  storageNeededMegabytes: fc.option(anyNumber),
  distances: fc.option(fc.record({ firstMeters: anyNumber, farthestMeters: anyNumber, lastMeters: anyNumber })),
  dock: fc.option(anyDock),
  blockedBy: fc.option(fc.string()),
  blockedBySeenOver: fc.boolean(),
  exportsLogs: fc.boolean(),
  cutOff: fc.boolean(),
  getsReadyForThis: fc.boolean(),
  models: anyModels,
});
/** About to take off, with one or two things amiss: facts of which some are good enough. */
const nearlyHealthyFacts: fc.Arbitrary<PreflightFacts> = fc
  .tuple(
    anyProperties,
    fc.subarray(Object.keys(HEALTHY), { maxLength: 2 }),
    fc.subarray(PREFLIGHT_PROPERTIES.concat(), { maxLength: 2 }),
  )
  .map(([amiss, said, never]) => {
    const properties: Record<string, DockFacts['properties'][string]> = { ...aDock().properties };
    for (const name of said) properties[name] = amiss[name] ?? { value: 65_535, agoMs: 0 };
    for (const name of never) delete properties[name];
    return someFacts({ dock: aDock({}, { properties }) });
  });
/** The default with each switch either way. */
const anyPolicy: fc.Arbitrary<PreflightPolicy> = fc
  .tuple(fc.subarray(Object.keys(DEFAULT_POLICY)), fc.subarray(Object.keys(DEFAULT_POLICY)))
  .map(([enabled, passing]) => {
    const switchesOf = (rule: string) => ({
      enabled: enabled.includes(rule),
      whenUnknown: passing.includes(rule) ? 'pass' : 'fail',
    });
    const rows = Object.entries(DEFAULT_POLICY) as [string, object][];
    const policy: Record<string, unknown> = Object.fromEntries(
      rows.map(([rule, limits]) => [rule, 'enabled' in limits ? { ...limits, ...switchesOf(rule) } : limits]),
    );
    return policy as unknown as PreflightPolicy;
  });

describe('whatever is known or said of a dock, preflight', () => {
  it('answers each rule exactly once, in the order of the table', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (facts, policy) => {
        expect(preflight(facts, policy).rules.map(({ rule }) => rule)).toEqual(RULE_NAMES);
      }),
      RUNS,
    );
  });

  it('says no exactly when a rule says no', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (facts, policy) => {
        const { verdict, rules: results } = preflight(facts, policy);
        expect(verdict === 'no_go').toBe(results.some((result) => result.verdict === 'no_go'));
      }),
      RUNS,
    );
  });

  it('switches off what the policy switches off, and no hard rule', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (facts, policy) => {
        const off = preflight(facts, policy).rules.filter(({ verdict }) => verdict === 'off');
        const disabled = Object.entries(policy).filter(([, limits]) => 'enabled' in limits && !limits.enabled);
        expect(off.map(({ rule }) => rule)).toEqual(disabled.map(([rule]) => rule));
        expect(off.every(({ hard }) => !hard)).toBe(true);
      }),
      RUNS,
    );
  });

  it('gives a margin below zero only with a no, and one from zero only with a go', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        for (const { verdict, margin } of preflight(facts, DEFAULT_POLICY).rules) {
          if (margin !== null) expect(verdict).toBe(margin < 0 ? 'no_go' : 'go');
        }
      }),
      RUNS,
    );
  });

  it('says nothing that JSON cannot keep', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (facts, policy) => {
        for (const { input, limit, margin } of preflight(facts, policy).rules) {
          for (const shown of [input, limit, margin]) {
            if (typeof shown === 'number') expect(Number.isFinite(shown)).toBe(true);
          }
        }
      }),
      RUNS,
    );
  });

  it('lets nothing take off of whose dock it does not know that it was heard, is idle and has its aircraft', () => {
    let takeOffs = 0;
    fc.assert(
      fc.property(nearlyHealthyFacts, anyPolicy, (facts, policy) => {
        const { verdict, rules: results } = preflight(facts, policy);
        if (verdict === 'no_go') return;
        takeOffs++;
        const sure = results.filter(({ rule }) => ['dock_seen', 'aircraft_in_dock', 'dock_idle'].includes(rule));
        expect(sure.map((result) => result.verdict)).toEqual(['go', 'go', 'go']);
      }),
      RUNS,
    );
    expect(takeOffs).toBeGreaterThan(10);
  });
});

it('names each property that a rule reads, so that a caller can ask for them', () => {
  for (const { reads } of Object.values(rules))
    expect(PREFLIGHT_PROPERTIES).toEqual(expect.arrayContaining([...reads]));
  expect(PREFLIGHT_PROPERTIES).toEqual([...Object.keys(HEALTHY)].sort());
});
