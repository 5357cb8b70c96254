import { InvalidError, schemaProblems, withoutWords } from '@aerie/kernel';
import { z } from 'zod';
import { DEEPEST } from './json-depth.js';

/** Checks an input; every problem is reported at once, by the name that the caller used. */
export function readInput<Schema extends z.ZodType>(schema: Schema, input: unknown, what = 'body'): z.output<Schema> {
  if (input === undefined) {
    const message = 'send a JSON object with `Content-Type: application/json`';
    throw new InvalidError('invalid_input', `the ${what} is missing`, { fields: [{ field: what, message }] });
  }
  const parsed = schema.safeParse(input, { error: withoutWords });
  if (parsed.success) {
    const unfit = unfitIn(parsed.data, 0);
    if (unfit === null) return parsed.data;
    throw new InvalidError('invalid_input', `the ${what} is not valid`, {
      fields: [{ field: unfit.path.join('.') || what, message: unfit.message }],
    });
  }
  const knownAt = (path: readonly PropertyKey[]): readonly string[] => fieldsAt(schema, path);
  const fields = schemaProblems(parsed.error.issues, { input, what, knownAt });
  throw new InvalidError('invalid_input', `the ${what} is not valid`, { fields });
}

/** The fields of the object at a path; none where anything may be. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const at = unwrapped(schema);
  const [first, ...rest] = path;
  if (at instanceof z.ZodArray) return first === undefined ? [] : fieldsAt(at.element, rest);
  if (!(at instanceof z.ZodObject)) return [];
  if (first === undefined) return Object.keys(at.shape);
  const member = (at.shape as Readonly<Record<PropertyKey, z.core.$ZodType>>)[first];
  return member === undefined ? [] : fieldsAt(member, rest);
}

/** What is left out, has a default or is read on is of the same fields. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return unwrapped(schema.def.innerType);
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.def.in) : schema;
}

/** Half of a pair that makes one character: a pattern with the flag `u` takes whole pairs for what they stand for. */
const HALF_A_PAIR = /\p{Surrogate}/u;

/**
 * What fits the schema and yet cannot be kept: PostgreSQL has no text with a NUL character, nor JSON with half of a
 * surrogate pair. Null where all is well.
 */
function unfitIn(value: unknown, depth: number): { readonly path: string[]; readonly message: string } | null {
  if (typeof value === 'string') {
    if (value.includes('\u0000')) return { path: [], message: 'must not hold a NUL character' };
    return HALF_A_PAIR.test(value) ? { path: [], message: 'must not hold half of a surrogate pair' } : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depth === DEEPEST) return { path: [], message: `must not be nested deeper than ${DEEPEST} levels` };
  for (const [key, entry] of Object.entries(value)) {
    const unfit = unfitIn(key, depth) ?? unfitIn(entry, depth + 1);
    if (unfit !== null) return { ...unfit, path: [key, ...unfit.path] };
  }
  return null;
}
