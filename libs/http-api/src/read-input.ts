import { type FieldProblem, InvalidError } from '@aerie/kernel';
import type { z } from 'zod';
import { DEEPEST } from './json-depth.js';

/** Checks an input; every problem is reported at once, by the name that the caller used. */
export function readInput<Schema extends z.ZodType>(schema: Schema, input: unknown, what = 'body'): z.output<Schema> {
  if (input === undefined) {
    const message = 'send a JSON object with `Content-Type: application/json`';
    throw new InvalidError('invalid_input', `the ${what} is missing`, { fields: [{ field: what, message }] });
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) {
    const unfit = unfitIn(parsed.data, 0);
    if (unfit === null) return parsed.data;
    throw new InvalidError('invalid_input', `the ${what} is not valid`, {
      fields: [{ field: unfit.path.join('.') || what, message: unfit.message }],
    });
  }
  const fields: FieldProblem[] = parsed.error.issues.flatMap((issue) => {
    const at = issue.path.join('.');
    // A key that is not known is the caller's spelling mistake: name it, not its parent.
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not a known field' }));
    }
    return [{ field: at === '' ? what : at, message: issue.message }];
  });
  throw new InvalidError('invalid_input', `the ${what} is not valid`, { fields });
}

/** What fits the schema and yet cannot be kept: PostgreSQL has no text with a NUL character. Null where all is well. */
function unfitIn(value: unknown, depth: number): { readonly path: string[]; readonly message: string } | null {
  if (typeof value === 'string') {
    return value.includes('\u0000') ? { path: [], message: 'must not hold a NUL character' } : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depth === DEEPEST) return { path: [], message: `must not be nested deeper than ${DEEPEST} levels` };
  for (const [key, entry] of Object.entries(value)) {
    const unfit = unfitIn(key, depth) ?? unfitIn(entry, depth + 1);
    if (unfit !== null) return { ...unfit, path: [key, ...unfit.path] };
  }
  return null;
}
