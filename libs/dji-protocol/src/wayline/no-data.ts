import { z } from 'zod';
import type { JsonObject } from '../payload.js';
import { record } from '../tolerant.js';

/** A command without data. Docks take `{}`, `""` and even `{"flight_ids":[""]}` (quirk M22). */
export type NoData = Readonly<Record<string, unknown>>;

export const decodeNoData: z.ZodType<NoData> = record({});

export const strictNoData = z.object({});

export const encodeNoData = (): JsonObject => ({});
