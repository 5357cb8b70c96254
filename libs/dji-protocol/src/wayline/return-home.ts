import { z } from 'zod';
import { replyWith, type ReplyWith } from '../reply.js';
import { optional, record, text } from '../tolerant.js';
import type { FlighttaskStatus } from './flighttask-status.js';

/**
 * Sends whatever flies home. The flight then ends after landing, as `failed` with result 322283 (quirk M18).
 * [Cloud API 1.4, return_home]
 */
export { decodeNoData as decodeReturnHome, encodeNoData as encodeReturnHome } from './no-data.js';

/** The same words as in progress, except `partially_done`. */
export type ReturnHomeReply = ReplyWith<{ readonly status?: FlighttaskStatus }>;

export const decodeReturnHomeReply: z.ZodType<ReturnHomeReply> = replyWith(record({ status: optional(text) }), [
  'status',
]);
export const strictReturnHomeReply: z.ZodType<ReturnHomeReply> = z.object({
  result: z.int(),
  output: z.exactOptional(z.object({ status: z.exactOptional(z.string()) })),
});
