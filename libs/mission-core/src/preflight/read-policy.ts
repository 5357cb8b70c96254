import type { FieldProblem } from '@aerie/kernel';
import { DEFAULT_POLICY, FARTHEST_METERS, type PreflightPolicy } from './preflight.policy.js';

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly whole?: true;
  /** Why these: said to whoever goes beyond. */
  readonly because: string;
}

type PolicyRuleName = keyof PreflightPolicy;
/** Members that say what to do where something is not known. */
const CHOICES = ['whenUnknown', 'afterSeenOver'] as const;
type NumberName<N extends PolicyRuleName> = Exclude<keyof PreflightPolicy[N], 'enabled' | (typeof CHOICES)[number]>;

const WORKS_IN: Pick<Bounds, 'min' | 'max' | 'because'> = {
  min: -35,
  max: 50,
  because: 'no dock is rated for less than -35 °C or more than 50 °C',
};

/** Every number of a policy. A new one that is not here does not compile. */
const BOUNDS: { readonly [N in PolicyRuleName]: { readonly [F in NumberName<N>]: Bounds } } = {
  distance: {
    maximumMeters: {
      min: 50,
      max: FARTHEST_METERS,
      because: 'docks are rated for 7 to 10 km, and a shorter limit than 50 m allows no route',
    },
  },
  unknown_outcome: {},
  battery: {
    minimumPercent: { min: 15, max: 100, because: 'with less than 15 percent an aircraft only returns or lands' },
    percentPerMinute: { min: 1, max: 20, because: 'a full battery lasts between 5 and 100 minutes' },
    reservePercent: { min: 10, max: 80, because: 'the way back needs a reserve, and the way out needs the rest' },
  },
  rain: { maximumLevel: { min: 0, max: 2, whole: true, because: 'the levels are whole numbers, and 3 is heavy rain' } },
  wind: {
    maximumMetersPerSecond: { min: 1, max: 15, because: 'no aircraft of a dock is rated for more than 15 m/s' },
  },
  temperature: { minimumCelsius: WORKS_IN, maximumCelsius: WORKS_IN },
  storage: {
    minimumMegabytes: { min: 0, max: 1_048_576, because: 'no flight brings home more than a terabyte' },
  },
  rtk: {},
  cover: {},
  landing_point: {},
  firmware: {},
};

const RULES = Object.keys(BOUNDS) as readonly PolicyRuleName[];

type Members = Readonly<Record<string, unknown>>;

/**
 * A policy as somebody wrote it. Strict: what is not known is a problem, because a misspelt limit that is ignored is a
 * limit that does not hold. What is absent is as in the default.
 */
export function readPolicy(input: unknown): { policy: PreflightPolicy } | { problems: FieldProblem[] } {
  const document = membersOf(input);
  if (document === null) return { problems: [{ field: '', message: 'must be an object with rules as members' }] };

  const problems = unknownMembers('', document, RULES);
  const policy = Object.fromEntries(RULES.map((rule) => [rule, readRule(rule, document[rule], problems)]));
  const { temperature } = policy as unknown as PreflightPolicy;
  if (problems.length === 0 && temperature.minimumCelsius >= temperature.maximumCelsius) {
    problems.push({ field: 'temperature.minimumCelsius', message: 'must be below maximumCelsius' });
  }
  // Safe: each rule has exactly the members of its default, each checked for its kind.
  return problems.length > 0 ? { problems } : { policy: policy as unknown as PreflightPolicy };
}

function readRule(rule: PolicyRuleName, input: unknown, problems: FieldProblem[]): Members {
  const defaults: Members = { ...DEFAULT_POLICY[rule] };
  if (input === undefined) return defaults;
  const members = membersOf(input);
  if (members === null) {
    problems.push({ field: rule, message: 'must be an object' });
    return defaults;
  }
  problems.push(...unknownMembers(`${rule}.`, members, Object.keys(defaults)));
  const bounds: Readonly<Record<string, Bounds>> = BOUNDS[rule];
  return Object.fromEntries(
    Object.entries(defaults).map(([name, byDefault]) => {
      const value = members[name];
      if (value === undefined) return [name, byDefault];
      const message = problemOf(name, value, bounds[name]);
      if (message !== null) problems.push({ field: `${rule}.${name}`, message });
      return [name, value];
    }),
  );
}

function problemOf(name: string, value: unknown, bounds: Bounds | undefined): string | null {
  if (name === 'enabled') return typeof value === 'boolean' ? null : 'must be true or false';
  if (CHOICES.some((choice) => choice === name))
    return value === 'pass' || value === 'fail' ? null : 'must be "pass" or "fail"';
  if (typeof value !== 'number' || bounds === undefined) return 'must be a number';
  const { min, max, whole, because } = bounds;
  const fits = value >= min && value <= max && (!whole || Number.isInteger(value));
  return fits ? null : `must be ${whole ? 'a whole number ' : ''}from ${min} to ${max}: ${because}`;
}

function unknownMembers(path: string, members: Members, known: readonly string[]): FieldProblem[] {
  const unknown = Object.keys(members).filter((name) => !known.includes(name));
  return unknown.map((name) => ({ field: `${path}${name}`, message: `is unknown; known are ${known.join(', ')}` }));
}

function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}
