import type { z } from 'zod';
import type { AnswerDescription, BodyDescription, RouteDescription } from './types.js';

export const JSON_TYPE = 'application/json';

/** A route as it is told to callers. Only checks its types: what it says is held against the running routes by a test. */
export const route = (description: RouteDescription): RouteDescription => description;

/** A JSON body, checked by this very schema. */
export const jsonBody = (schema: z.ZodType, example: unknown): BodyDescription => ({
  content: { [JSON_TYPE]: { schema, example } },
});

/** A JSON body that may be left out. */
export const optionalJsonBody = (schema: z.ZodType, example: unknown): BodyDescription => ({
  ...jsonBody(schema, example),
  optional: true,
});

export const jsonAnswer = (
  description: string,
  schema: z.ZodType,
  headers?: AnswerDescription['headers'],
): AnswerDescription => ({
  description,
  content: { [JSON_TYPE]: schema },
  ...(headers === undefined ? {} : { headers }),
});
