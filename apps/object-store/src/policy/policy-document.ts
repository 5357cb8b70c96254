import { findDuplicateKey } from './duplicate-keys.js';

export type Condition =
  | { readonly kind: 'prefix'; readonly wildcards: boolean; readonly values: readonly string[] }
  | {
      readonly kind: 'time';
      readonly of: 'tokenIssue' | 'current';
      readonly must: 'before' | 'after';
      readonly ms: readonly number[];
    }
  | { readonly kind: 'secure'; readonly value: boolean };

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** In lower case. */
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** All of them must hold. */
  readonly conditions: readonly Condition[];
}

/** The text is no policy, or holds something that this engine does not know and so must not pass over. */
export class MalformedPolicyError extends Error {}

const MAX_STATEMENTS = 100;
const MAX_VALUES = 200;

/**
 * Reads a policy document. INVARIANT: what it returns means all that the text says. A word that is not understood is an
 * error, as a statement without one of its words may allow more than its author wrote.
 */
export function parsePolicy(text: string): readonly Statement[] {
  const document = asRecord(parseJson(text), 'The policy');
  allowOnly(document, ['Version', 'Id', 'Statement'], 'The policy');
  if (!['2012-10-17', '2008-10-17', undefined].includes(document['Version'] as string | undefined)) {
    throw new MalformedPolicyError('The Version must be 2012-10-17.');
  }
  const statements = Array.isArray(document['Statement']) ? document['Statement'] : [document['Statement']];
  if (statements.length === 0 || statements.length > MAX_STATEMENTS) {
    throw new MalformedPolicyError(`A policy has 1 to ${MAX_STATEMENTS} statements.`);
  }
  return statements.map(readStatement);
}

function parseJson(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new MalformedPolicyError('The policy is no JSON.', { cause: error });
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw new MalformedPolicyError(`The policy says ${twice} twice.`);
  if (text.includes('${')) throw new MalformedPolicyError('Policy variables are not supported.');
  return parsed;
}

function readStatement(value: unknown): Statement {
  const statement = asRecord(value, 'A statement');
  allowOnly(statement, ['Sid', 'Effect', 'Action', 'Resource', 'Condition'], 'A statement');
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') throw new MalformedPolicyError('The Effect must be Allow or Deny.');
  const actions = readStrings(statement['Action'], 'Action');
  const resources = readStrings(statement['Resource'], 'Resource');
  const foreign = actions.find((action) => !/^(\*|s3:[a-z*?]{1,100})$/i.test(action));
  if (foreign !== undefined) throw new MalformedPolicyError(`The Action ${foreign} is none of S3.`);
  const elsewhere = resources.find((resource) => !/^(\*$|arn:aws:s3:::.)/su.test(resource));
  if (elsewhere !== undefined) throw new MalformedPolicyError(`The Resource ${elsewhere} is none of S3.`);
  return {
    effect,
    actions: actions.map((action) => action.toLowerCase()),
    resources,
    conditions: readConditions(statement['Condition']),
  };
}

function readConditions(value: unknown): readonly Condition[] {
  if (value === undefined) return [];
  return Object.entries(asRecord(value, 'A Condition')).flatMap(([operator, operands]) =>
    Object.entries(asRecord(operands, operator)).map(([key, values]) => readCondition(operator, key, values)),
  );
}

function readCondition(operator: string, key: string, value: unknown): Condition {
  const name = key.toLowerCase();
  switch (operator) {
    case 'StringEquals':
    case 'StringLike':
      if (name !== 's3:prefix') break;
      return { kind: 'prefix', wildcards: operator === 'StringLike', values: readStrings(value, key) };
    case 'DateLessThan':
    case 'DateGreaterThan':
      if (name !== 'aws:tokenissuetime' && name !== 'aws:currenttime') break;
      return {
        kind: 'time',
        of: name === 'aws:currenttime' ? 'current' : 'tokenIssue',
        must: operator === 'DateLessThan' ? 'before' : 'after',
        ms: readStrings(value, key).map(readTime),
      };
    case 'Bool':
      if (name !== 'aws:securetransport') break;
      if (!/^(true|false)$/i.test(String(value))) throw new MalformedPolicyError(`The value of ${key} is no Bool.`);
      return { kind: 'secure', value: String(value).toLowerCase() === 'true' };
    default:
  }
  throw new MalformedPolicyError(`The condition ${operator} of ${key} is not supported.`);
}

function readTime(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isTime ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) throw new MalformedPolicyError(`${text} is no time in ISO 8601.`);
  return ms;
}

function readStrings(value: unknown, what: string): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const strings = list.filter((item) => typeof item === 'string');
  if (strings.length !== list.length || list.length === 0 || list.length > MAX_VALUES) {
    throw new MalformedPolicyError(`${what} must be a text or a list of texts.`);
  }
  return strings;
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new MalformedPolicyError(`${what} must be an object.`);
}

function allowOnly(record: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(record).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new MalformedPolicyError(`${what} has ${unknown}, which is not supported.`);
}
