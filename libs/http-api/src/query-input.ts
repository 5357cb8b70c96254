import { z } from 'zod';
import type { JsonSchema } from './openapi/types.js';

/** What the text of a query parameter stands for, for the document: the schema itself reads text. */
export const DOCUMENTED_AS = new WeakMap<z.core.$ZodType, JsonSchema>();

function documentedAs<Schema extends z.ZodType>(schema: Schema, shown: JsonSchema): Schema {
  DOCUMENTED_AS.set(schema, shown);
  return schema;
}

/** `true` or `false` in a query. */
export const queryFlag = documentedAs(
  z.enum(['true', 'false']).transform((text) => text === 'true'),
  { type: 'boolean' },
);

/** One word or several in a query, separated by commas. */
export function queryList<const Word extends string>(words: readonly Word[]) {
  const item = z.enum(words);
  return documentedAs(
    z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(item).min(1).max(words.length)),
    { type: 'array', items: { type: 'string', enum: [...words] }, minItems: 1, maxItems: words.length },
  );
}

/** Whether it was read: a check of a whole object sees what is no instant as it was sent, beside a problem that says so. */
export const isReadInstant = (value: unknown): value is Date | number =>
  value instanceof Date || typeof value === 'number';

interface Span {
  readonly from?: Date | number | undefined;
  readonly until?: Date | number | undefined;
}

/** For a query with `from` and `until`: a span that ends before it begins holds nothing, and somebody mistyped it. */
export function spanInOrder({ value, issues }: z.core.ParsePayload<Span>): void {
  const { from, until } = value;
  if (!isReadInstant(from) || !isReadInstant(until) || Number(from) < Number(until)) return;
  const message = `must be after from, which is ${new Date(from).toISOString()}; it is ${new Date(until).toISOString()}`;
  issues.push({ code: 'custom', path: ['until'], message, input: value });
}
