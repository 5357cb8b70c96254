import type { FieldProblem } from '@aerie/kernel';
import type { z } from 'zod';

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
};

/** The schema library's findings in our words, e.g. `output.status`, `expected a string`. */
export function fieldProblems(error: z.ZodError): FieldProblem[] {
  return error.issues.map((issue) => ({ field: issue.path.map(String).join('.'), message: messageOf(issue) }));
}

/** The first finding as one line that names the path from the top, e.g. `data.output.status: expected a string`. */
export function reasonOf(root: string, error: z.ZodError): string {
  const first = fieldProblems(error)[0];
  if (first === undefined) return `${root}: cannot be read`;
  return `${first.field === '' ? root : `${root}.${first.field}`}: ${first.message}`;
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${NOUNS[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return sizeMessage(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return sizeMessage(issue.origin, 'at most', issue.maximum);
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return unionMessage(issue);
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message;
  }
}

function sizeMessage(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `expected ${bound} ${String(limit)} characters`;
  if (origin === 'array') return `expected ${bound} ${String(limit)} items`;
  return `must be ${bound} ${String(limit)}`;
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  const values = issue.errors.flatMap((branch) =>
    branch.flatMap((member) => (member.code === 'invalid_value' ? member.values.map(String) : [])),
  );
  return values.length > 0 ? `expected one of ${values.join(', ')}` : 'has none of the allowed forms';
}
