import { z } from 'zod';
import { isJsonObject } from './payload.js';

/**
 * Building blocks for reading: they accept every spelling that documents or devices use for a value and give back one.
 * Ranges and closed lists are not checked here, because a value that is out of range today is a newer firmware tomorrow.
 */

const INTEGER_TEXT = /^-?[0-9]{1,16}$/;
const NUMBER_TEXT = /^-?[0-9]{1,16}(?:\.[0-9]{1,16})?$/;
/** "None" or "unknown" in enumerations; some tables print the misprint with five digits (quirks M17, M19). */
export const UNKNOWN_16_BIT = 65535;
export const UNKNOWN_MISPRINT = 0xfffff;

const toInteger = (value: unknown): unknown => {
  if (typeof value === 'string' && INTEGER_TEXT.test(value)) return Number(value);
  return value;
};
const toNumber = (value: unknown): unknown =>
  typeof value === 'string' && NUMBER_TEXT.test(value) ? Number(value) : value;
const toText = (value: unknown): unknown =>
  typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
const toFlag = (value: unknown): unknown => {
  if (value === true || value === 'true') return 1;
  if (value === false || value === 'false') return 0;
  return toInteger(value);
};
const toBoolean = (value: unknown): unknown => {
  const flag = toFlag(value);
  return flag === 1 ? true : flag === 0 ? false : value;
};

/** An int; digits as text are read too (quirk E18). */
export const integer = z.preprocess(toInteger, z.int());
/** A number with or without a fraction. */
export const decimal = z.preprocess(toNumber, z.number());
/** A text; a number is read as its digits (quirk E18). */
export const text = z.preprocess(toText, z.string());
/** A text that names something, so it may not be empty. */
export const name = z.preprocess(toText, z.string().min(1));
/** 0 or 1, also typed boolean in some tables (quirk M13). Other integers are kept. */
export const flag = z.preprocess(toFlag, z.int());
/** true or false, also written 0 and 1. */
export const bool = z.preprocess(toBoolean, z.boolean());

const toIntegerOrNull = (value: unknown): unknown => {
  const read = toInteger(value);
  return read === UNKNOWN_16_BIT || read === UNKNOWN_MISPRINT ? null : read;
};
/** An int for which 65535 means "none" (quirk M17). */
export const integerOrNone = z.preprocess(toIntegerOrNull, z.nullable(z.int()));

/** A member that may be missing. */
export const optional = <Schema extends z.ZodType>(schema: Schema) => z.exactOptional(schema);

/**
 * A list of at most so many: far more than any dock has of them. A list that fills a whole message would cost ten
 * milliseconds to read, so its length is looked at before its items.
 */
export const list = <Item extends z.ZodType>(item: Item, most: number) =>
  z.preprocess((value, context) => {
    if (!Array.isArray(value) || value.length <= most) return value;
    context.issues.push({
      code: 'custom',
      message: `has ${String(value.length)} items, at most ${String(most)} are read`,
      input: value,
    });
    return z.NEVER;
  }, z.array(item));

/**
 * What is written as documented is taken as it is, so that thousands of entries cost a tenth; all else is read by `schema`,
 * which says what is wrong with it.
 */
export const plainOr = <Schema extends z.ZodType>(isPlain: (value: unknown) => boolean, schema: Schema) => {
  // Documents are made of schemas, and show what it is in the end.
  const { $schema: _, ...shape } = z.toJSONSchema(schema);
  return z
    .unknown()
    .transform((value, context): z.output<Schema> => {
      if (isPlain(value)) return value as z.output<Schema>;
      const read = schema.safeParse(value);
      if (read.success) return read.data;
      for (const issue of read.error.issues) context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
      return z.NEVER;
    })
    .meta(shape);
};

/**
 * An object whose unknown members are kept (quirk E17). A known member that is null counts as missing, except where
 * null is what the schema itself gives: devices write null for "I have none".
 */
export function record<Shape extends z.core.$ZodShape>(shape: Shape, normalise?: (value: Members) => Members) {
  const names = Object.entries(shape)
    .filter(([, member]) => !z.safeParse(member, null).success)
    .map(([key]) => key);
  return z.preprocess((value) => {
    if (!isJsonObject(value)) return value;
    const kept = withoutNulls(value, names);
    return normalise === undefined ? kept : normalise(kept);
  }, z.looseObject(shape));
}

export type Members = Readonly<Record<string, unknown>>;

function withoutNulls(value: Members, names: readonly string[]): Members {
  if (!names.some((member) => value[member] === null)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key, member]) => member !== null || !names.includes(key)));
}

/** Puts members that tables list at the root under `output`, where examples and devices have them (quirk E12). */
export function underOutput(value: Members, names: readonly string[]): Members {
  if (value['output'] !== undefined || !names.some((member) => value[member] !== undefined)) return value;
  const root: Record<string, unknown> = {};
  const output: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) (names.includes(key) ? output : root)[key] = member;
  return { ...root, output };
}

/** The same object under a newer name for one member; the newer name wins where both are given, and null is not given. */
export function renamed(value: Members, from: string, to: string): Members {
  if (value[from] === undefined) return value;
  const { [from]: old, ...rest } = value;
  return old === null ? rest : { ...rest, [to]: rest[to] ?? old };
}

/** The object without these members where they are an empty text, which means "I have none" (quirk E9). */
export const withoutBlank = (value: Members, names: readonly string[]): Members =>
  Object.fromEntries(Object.entries(value).filter(([key, member]) => member !== '' || !names.includes(key)));
