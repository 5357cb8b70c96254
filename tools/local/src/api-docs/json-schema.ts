import { z } from 'zod';
import type { Json } from './types.js';

/**
 * JSON Schema of draft 7, which is what AsyncAPI builds on. What a decoder does beyond it, e.g. reading digits as a
 * number, cannot be said there: the schema is then the form that comes out, which is the newest documented one.
 */
export function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'output',
    target: 'draft-07',
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => plain(made),
  });
  plainThroughout(rest);
  return rest;
}

/** Also in what a schema brought along as it is. */
function plainThroughout(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  if (!Array.isArray(part)) plain(part as z.core.JSONSchema.BaseSchema);
  for (const inner of Object.values(part)) plainThroughout(inner);
}

/** Leaves out what says nothing: the bounds of all numbers, that any other member may be there, patterns of a format. */
function plain(made: z.core.JSONSchema.BaseSchema): void {
  if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
  if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
  const { additionalProperties: others } = made;
  if (typeof others === 'object' && Object.keys(others).length === 0) delete made.additionalProperties;
  if (made.format === 'uuid' || made.format === 'date-time') delete made.pattern;
}
