import { type FieldProblem, InvalidError } from '@aerie/kernel';
import type { z } from 'zod';

/** Checks an input; every problem is reported at once, by the name that the caller used. */
export function readInput<Schema extends z.ZodType>(schema: Schema, input: unknown, what = 'body'): z.output<Schema> {
  if (input === undefined) {
    const message = 'send a JSON object with `Content-Type: application/json`';
    throw new InvalidError('invalid_input', `the ${what} is missing`, { fields: [{ field: what, message }] });
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) {
    const at = nulIn(parsed.data, []);
    if (at === null) return parsed.data;
    const message = 'must not hold a NUL character';
    throw new InvalidError('invalid_input', `the ${what} is not valid`, {
      fields: [{ field: at.length === 0 ? what : at.join('.'), message }],
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

/** Where a text holds a NUL character, which PostgreSQL keeps in no text; null where none does. No deeper than a schema. */
function nulIn(value: unknown, path: readonly string[]): readonly string[] | null {
  if (typeof value === 'string') return value.includes('\u0000') ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, entry] of Object.entries(value)) {
    const found = nulIn(entry, [...path, key]);
    if (found !== null) return found;
  }
  return null;
}
