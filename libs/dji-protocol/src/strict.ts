import { InvalidError, isSerialNumber, type FieldProblem } from '@aerie/kernel';
import { z } from 'zod';
import { fieldProblems } from './problems.js';
import type { JsonObject } from './payload.js';

/** Building blocks for writing: what the newest documents allow, and nothing beside it. */

/** The vendor's own cloud refuses these characters in the id of a flight, so docks have never seen them. */
export const flightId = z
  .string()
  .max(128)
  .regex(/^[^<>:"/|?*._\\\u0000]+$/, 'must not be empty nor contain any of < > : " / | ? * . _ \\');
/** A device, as it is named in topics. */
export const serialNumber = z.string().refine(isSerialNumber, 'must be a serial number');
/** Milliseconds since the epoch, 13 digits. */
export const epochMs = z.int().min(1_000_000_000_000).max(9_999_999_999_999);
/** Docks fetch with a plain GET, without extra headers. */
export const httpUrl = z.string().regex(/^https?:\/\/[^\s]+$/, 'must be an http or https URL');
/** MD5 of the bytes of the KMZ, in hexadecimal. The device compares it (result 314005). */
export const md5 = z.string().regex(/^[0-9a-fA-F]{32}$/, 'must be an MD5 in hexadecimal');
/** Metres above the take-off point. [Cloud API, flighttask_prepare, rth_altitude] */
export const rthAltitude = z.int().min(20).max(1500);
export const latitude = z.number().min(-90).max(90);
export const longitude = z.number().min(-180).max(180);
export const zeroOrOne = z.union([z.literal(0), z.literal(1)]);

/** Gives the value as the schema writes it, or throws with every field that is wrong. */
export function written(
  what: string,
  schema: z.ZodType,
  value: unknown,
  problems: readonly FieldProblem[] = [],
): JsonObject {
  const result = schema.safeParse(value);
  if (result.success && problems.length === 0) return result.data as JsonObject;
  const fields = [...problems, ...(result.success ? [] : fieldProblems(result.error))];
  throw new InvalidError('invalid_message', `failed to encode ${what}`, { fields });
}

/** The named members of an object, without those that are missing. */
export function pick(value: unknown, names: readonly string[]): Record<string, unknown> {
  const source = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const picked: Record<string, unknown> = {};
  for (const member of names) if (source[member] !== undefined) picked[member] = source[member];
  return picked;
}
