import type { FieldProblem } from './errors.js';

/**
 * A finding of the schema library, as far as its text needs it: the kernel depends on nothing. Its own words are for
 * programmers ("expected string, received undefined"), so every parse is given `error: withoutWords`, and what still has
 * words was written by us.
 */
export interface SchemaFinding {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

interface Facts {
  readonly expected?: string;
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly format?: string;
  readonly pattern?: string;
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly keys?: readonly string[];
  readonly divisor?: number | bigint;
  readonly errors?: readonly (readonly (SchemaFinding & Facts)[])[];
}

const NO_WORDS = '\u0000no words';

/** For `error` of a parse. */
export const withoutWords = (): string => NO_WORDS;

export interface ReadInput {
  /** As it was sent. */
  readonly input: unknown;
  /** The name of the whole, where no field is to blame: `body`, `query`. */
  readonly what: string;
  /** The fields that an object may have, by its path. */
  readonly knownAt?: (path: readonly PropertyKey[]) => readonly string[];
}

/** What is wrong, field by field: what was sent, and what is allowed. */
export function schemaProblems(findings: readonly SchemaFinding[], read: ReadInput): FieldProblem[] {
  return findings.flatMap((finding) => {
    // A key that is not known is the caller's spelling mistake: name it, not its parent.
    const { keys } = finding as Facts;
    if (finding.code === 'unrecognized_keys' && keys !== undefined) {
      const known = read.knownAt?.(finding.path) ?? [];
      return keys.map((key) => ({ field: nameOf([...finding.path, key]), message: unknownField(key, known) }));
    }
    const field = nameOf(finding.path);
    return [{ field: field === '' ? read.what : field, message: messageOf(finding, read.input) }];
  });
}

const nameOf = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** `dry_run`, `dryrun` and `dry-run` are all meant for `dryRun`. */
export const sameLetters = (one: string, other: string): boolean => lettersOf(one) === lettersOf(other);
const lettersOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

function unknownField(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'is not a known field';
  const meant = known.find((candidate) => sameLetters(candidate, name));
  return `is not a known field; ${meant === undefined ? '' : `did you mean ${meant}? `}known are ${known.join(', ')}`;
}

function messageOf(finding: SchemaFinding, input: unknown): string {
  const sent = valueAt(input, finding.path);
  const isMissing = sent === undefined && finding.code === 'invalid_type';
  if (finding.message !== NO_WORDS) return ownWords(finding, sent, isMissing);
  const allowed = allowedBy(finding);
  if (sent === undefined) return `is required: ${allowed}`;
  return `must be ${allowed}, not ${shown(sent, finding.path)}`;
}

/** Words of ours say what is allowed; what was sent is added where they do not say it. */
function ownWords({ message, path }: SchemaFinding, sent: unknown, isMissing: boolean): string {
  if (isMissing) return message.startsWith('must') ? `is required and ${message}` : message;
  if (typeof sent === 'object' || sent === undefined) return message;
  const text = shown(sent, path);
  return message.includes(text) ? message : `${message}; sent was ${text}`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID, like 0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11',
  guid: 'a UUID, like 0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11',
  datetime: 'an RFC 3339 date and time with an offset, like 2027-05-01T08:30:00Z',
  url: 'a URL with its scheme, like https://storage.example.com',
};

function allowedBy(finding: SchemaFinding & Facts): string {
  switch (finding.code) {
    case 'invalid_type':
      return KINDS[finding.expected ?? ''] ?? `a value of type ${finding.expected}`;
    case 'invalid_value':
      return oneOf(finding.values ?? []);
    case 'too_small':
      return boundOf(finding, finding.inclusive === false ? 'more than' : 'at least', finding.minimum);
    case 'too_big':
      return boundOf(finding, finding.inclusive === false ? 'less than' : 'at most', finding.maximum);
    case 'invalid_format':
      return FORMATS[finding.format ?? ''] ?? `a text that fits ${finding.pattern ?? finding.format}`;
    case 'not_multiple_of':
      return `a multiple of ${finding.divisor}`;
    case 'invalid_union':
      return unionOf(finding);
    default:
      return 'something else';
  }
}

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? JSON.stringify(values[0]) : `one of ${values.map(String).join(', ')}`;

function boundOf({ origin }: Facts, bound: string, limit: number | bigint | undefined): string {
  if (origin === 'string') return `a text of ${bound} ${limit} characters`;
  if (origin === 'array' || origin === 'set') return `a list of ${bound} ${limit} entries`;
  return `${bound} ${limit}`;
}

function unionOf({ options, errors = [] }: Facts): string {
  if (options !== undefined && options.length > 0) return oneOf(options);
  const ways = errors.flatMap(([first]) => (first === undefined ? [] : [allowedBy(first)]));
  return ways.length === 0 ? 'one of its other forms' : [...new Set(ways)].join(' or ');
}

/** A member that holds a secret, or an address with one, is not sent back, because answers are logged by callers. */
const HIDDEN = /secret|password|token|url/i;
const LONGEST_SHOWN = 80;

function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (path.some((part) => HIDDEN.test(String(part)))) return 'what was sent';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'what was sent';
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, part)
        ? (at as Readonly<Record<PropertyKey, unknown>>)[part]
        : undefined,
    input,
  );
